import { type KeyboardEvent, type PointerEvent, type RefObject, useState } from "react";
import type { Kernel } from "./kernel/kernel";
import { useValue } from "./kernel/use_value";

const LEAST = 240;
const MOST = 2000;

/** The height of the widget, and the handle that changes it. */
export function useHeight(kernel: Kernel, root: RefObject<HTMLElement | null>) {
  const synced = useValue(kernel, "height", (value) => Number(value) || 560);
  const [dragged, setDragged] = useState<number | null>(null);
  const height = dragged ?? synced;
  const bounded = (value: number) => Math.round(Math.max(LEAST, Math.min(MOST, value)));
  const keep = (value: number) => {
    kernel.model.set("height", bounded(value));
    kernel.model.save_changes();
    setDragged(null);
  };
  const handle = {
    role: "separator",
    "aria-orientation": "horizontal" as const,
    "aria-label": "Height",
    "aria-valuenow": height,
    "aria-valuemin": LEAST,
    "aria-valuemax": MOST,
    tabIndex: 0,
    title: "Drag to change the height",
    onKeyDown: (event: KeyboardEvent) => {
      const step = event.key === "ArrowDown" ? 40 : event.key === "ArrowUp" ? -40 : 0;
      if (!step) return;
      keep(height + step);
      event.preventDefault();
      event.stopPropagation();
    },
    onPointerDown: (event: PointerEvent) => {
      const top = root.current?.getBoundingClientRect().top ?? 0;
      event.preventDefault();
      const follow = (moved: globalThis.PointerEvent) => setDragged(bounded(moved.clientY - top));
      const stop = (ended: globalThis.PointerEvent) => {
        window.removeEventListener("pointermove", follow);
        window.removeEventListener("pointerup", stop);
        keep(ended.clientY - top);
      };
      window.addEventListener("pointermove", follow);
      window.addEventListener("pointerup", stop);
    },
  };
  return { height, handle };
}
