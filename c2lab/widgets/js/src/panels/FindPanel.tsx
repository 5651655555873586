import { useContext, useEffect, useRef, useState } from "react";
import { Actions } from "../actions";
import type { Kernel } from "../kernel/kernel";

interface Found {
  node: string;
  why: string;
  text: string;
  name: string;
  box: string;
}

interface Props {
  kernel: Kernel;
  onClose: () => void;
}

/** Looks for operators, blobs, arguments and comments. */
export function FindPanel({ kernel, onClose }: Props) {
  const actions = useContext(Actions);
  const [wanted, setWanted] = useState("");
  const [found, setFound] = useState<Found[]>([]);
  const [groups, setGroups] = useState<Record<string, string>>({});
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    let stale = false;
    const timer = setTimeout(() => {
      kernel.request("find", { text: wanted }).then(
        (reply) => {
          if (stale) return;
          setFound((reply.found ?? []) as Found[]);
          setGroups((reply.group_of ?? {}) as Record<string, string>);
          setAt(0);
        },
        () => !stale && setFound([]),
      );
    }, 100);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [kernel, wanted]);
  const go = (entry: Found | undefined) => entry && actions.reveal(groups[entry.node] ?? entry.node);
  return (
    <div className="c2b-find">
      <div className="c2b-bar">
        <input
          ref={input}
          type="text"
          aria-label="Find in the net"
          placeholder="operator, blob or argument"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          onKeyDown={(event) => {
            event.stopPropagation();
            if (event.key === "Enter") {
              const next = event.shiftKey ? at - 1 : at;
              const place = found.length ? (next + found.length) % found.length : 0;
              go(found[place]);
              setAt(event.shiftKey ? place : place + 1);
              input.current?.focus({ preventScroll: true });
            } else if (event.key === "Escape") onClose();
            else return;
            event.preventDefault();
          }}
        />
        <span role="status">{wanted ? `${found.length} found` : ""}</span>
      </div>
      <ul className="c2b-scroll" aria-label="Found">
        {found.map((entry, k) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an operator can be found for several reasons
          <li key={`${entry.node} ${k}`} className={k === at - 1 ? "c2b-at" : undefined}>
            <button type="button" className="c2b-link" onClick={() => go(entry)}>
              {entry.box}
            </button>{" "}
            <span className="c2b-muted">
              {entry.why}: {entry.text}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
