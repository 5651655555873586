import { type KeyboardEvent, useEffect, useRef, useState } from "react";

export interface Item {
  key: string;
  label: string;
  hint?: string;
  pick: () => void;
}

interface Props {
  label: string;
  items: readonly Item[];
  x: number;
  y: number;
  /** Whether what is typed narrows the list. */
  searched?: boolean;
  onClose: () => void;
}

/** A menu at a place of the root. */
export function Menu({ label, items, x, y, searched = false, onClose }: Props) {
  const menu = useRef<HTMLDivElement>(null);
  const [typed, setTyped] = useState("");
  const shown = typed ? items.filter((item) => item.label.toLowerCase().includes(typed.toLowerCase())) : items;
  useEffect(() => {
    const first = menu.current?.querySelector<HTMLElement>(searched ? "input" : '[role="menuitem"]');
    first?.focus({ preventScroll: true });
    const outside = (event: PointerEvent) => {
      if (!menu.current?.contains(event.target as Node)) onClose();
    };
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, [onClose, searched]);
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const entries = [...(menu.current?.querySelectorAll<HTMLElement>('[role="menuitem"]') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    if (event.key === "ArrowDown") entries[(at + 1) % entries.length]?.focus();
    else if (event.key === "ArrowUp") entries[(at - 1 + entries.length) % entries.length]?.focus();
    else if (event.key === "Enter" && at < 0 && shown[0]) {
      onClose();
      shown[0].pick();
    } else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
  };
  return (
    <div ref={menu} className="c2b-menu" style={{ left: x, top: y }} onKeyDown={onKeyDown}>
      {searched && (
        <input
          type="text"
          aria-label={`Narrow: ${label}`}
          placeholder={label}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
      <div role="menu" aria-label={label} className="c2b-scroll">
        {shown.map((item) => (
          <button
            key={item.key}
            type="button"
            role="menuitem"
            aria-label={item.label}
            onClick={() => {
              onClose();
              item.pick();
            }}
          >
            {item.label} {item.hint && <small>{item.hint}</small>}
          </button>
        ))}
        {shown.length === 0 && <p className="c2b-empty">Nothing fits here.</p>}
      </div>
    </div>
  );
}
