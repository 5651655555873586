import {
  type KeyboardEvent,
  memo,
  type PointerEvent,
  type Ref,
  useDeferredValue,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { hueOf } from "../canvas/hues";
import type { Entry } from "../kernel/scene";
import { search } from "./search";

interface Props {
  entries: readonly Entry[];
  searchRef: Ref<HTMLInputElement>;
  onPlace: (entry: Entry) => void;
  onDragStart: (entry: Entry, event: PointerEvent) => void;
  onLeave: () => void;
}

/** Everything that can be placed: typed for, clicked, or dragged onto the canvas. */
export function Palette({ entries, searchRef, onPlace, onDragStart, onLeave }: Props) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  // Enter was pressed before there was anything to place.
  const [eager, setEager] = useState(false);
  const list = useId();
  const listed = useDeferredValue(typed);
  const found = useMemo(() => search(entries, listed), [entries, listed]);
  const chosen = typed.trim() ? Math.min(at, found.length - 1) : -1;

  const place = (entry: Entry) => {
    setEager(false);
    setTyped("");
    setAt(0);
    onPlace(entry);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: happens when the entries come
  useEffect(() => {
    const entry = eager ? search(entries, typed)[0] : undefined;
    if (entry) place(entry);
  }, [entries]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter") {
      // What is listed may lag behind what was typed.
      const entry = typed.trim() ? search(entries, typed)[typed === listed ? Math.max(chosen, 0) : 0] : undefined;
      if (entry) place(entry);
      else if (entries.length === 0) setEager(true);
    } else if (event.key === "Escape") {
      setTyped("");
      onLeave();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section className="c2b-palette" aria-label="Palette">
      <input
        ref={searchRef}
        type="search"
        role="searchbox"
        className="c2b-search"
        placeholder="Search operators ( / )"
        aria-label="Search operators"
        aria-controls={list}
        aria-activedescendant={chosen >= 0 ? `${list}-${chosen}` : undefined}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
          setEager(false);
        }}
        onKeyDown={onKeyDown}
      />
      <Options
        id={list}
        found={found}
        chosen={chosen}
        grouped={!listed.trim()}
        onPlace={place}
        onDragStart={onDragStart}
      />
      {found.length === 0 && (
        <p className="c2b-empty">{entries.length === 0 ? "…" : "Nothing is called so, or says so."}</p>
      )}
    </section>
  );
}

interface OptionsProps {
  id: string;
  found: readonly Entry[];
  chosen: number;
  grouped: boolean;
  onPlace: (entry: Entry) => void;
  onDragStart: (entry: Entry, event: PointerEvent) => void;
}

const Options = memo(function Options({ id, found, chosen, grouped, onPlace, onDragStart }: OptionsProps) {
  const families: [string, [Entry, number][]][] = [];
  found.forEach((entry, index) => {
    const family = grouped ? (entry.gradient ? "gradients" : entry.family) : "";
    const last = families.at(-1);
    if (last && last[0] === family) last[1].push([entry, index]);
    else families.push([family, [[entry, index]]]);
  });
  return (
    <div id={id} role="listbox" aria-label="Operators" className="c2b-options" tabIndex={-1}>
      {families.map(([family, members]) => (
        <div key={family} role="presentation" className="c2b-family">
          {family && <div className="c2b-family-name">{family.replaceAll("_", " ")}</div>}
          {members.map(([entry, index]) => (
            <Option
              key={`${entry.kind} ${entry.type}`}
              id={`${id}-${index}`}
              entry={entry}
              chosen={index === chosen}
              onPlace={onPlace}
              onDragStart={onDragStart}
            />
          ))}
        </div>
      ))}
    </div>
  );
});

interface OptionProps {
  id: string;
  entry: Entry;
  chosen: boolean;
  onPlace: (entry: Entry) => void;
  onDragStart: (entry: Entry, event: PointerEvent) => void;
}

function Option({ id, entry, chosen, onPlace, onDragStart }: OptionProps) {
  const dragged = useRef(false);
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the search box keeps the focus
    // biome-ignore lint/a11y/useKeyWithClickEvents: the search box hears the keys
    <div
      id={id}
      ref={chosen ? (element) => element?.scrollIntoView?.({ block: "nearest" }) : undefined}
      role="option"
      aria-selected={chosen}
      aria-label={entry.type}
      title={entry.summary}
      className={`c2b-option c2b-hue-${hueOf(entry.family)}`}
      onPointerDown={(event) => {
        dragged.current = false;
        if (event.button === 0) {
          const [x, y] = [event.clientX, event.clientY];
          const follow = (moved: globalThis.PointerEvent) => {
            if (Math.hypot(moved.clientX - x, moved.clientY - y) < 5) return;
            dragged.current = true;
            stop();
            onDragStart(entry, event);
          };
          const stop = () => {
            window.removeEventListener("pointermove", follow);
            window.removeEventListener("pointerup", stop);
          };
          window.addEventListener("pointermove", follow);
          window.addEventListener("pointerup", stop);
        }
      }}
      onClick={() => {
        if (!dragged.current) onPlace(entry);
      }}
    >
      <span className="c2b-option-type">{entry.type}</span>
      {entry.kind !== "operator" && <span className="c2b-option-kind">{entry.kind}</span>}
    </div>
  );
}
