import { useReactFlow } from "@xyflow/react";
import { type PointerEvent, useCallback, useRef, useState } from "react";
import type { Entry } from "./kernel/scene";

export interface Drop {
  entry: Entry;
  x: number;
  y: number;
  /** The wire that was dropped on, the box that was. */
  splice: string | null;
  onto: string | null;
}

/** Dragging from the palette with mouse, pen or finger. */
export function usePaletteDrag(onDrop: (drop: Drop) => void) {
  const flow = useReactFlow();
  const [ghost, setGhost] = useState<{ entry: Entry; x: number; y: number; wire: boolean } | null>(null);
  const drop = useRef(onDrop);
  drop.current = onDrop;
  const start = useCallback(
    (entry: Entry, event: PointerEvent) => {
      const root = (event.target as Element).closest("[data-c2lab]");
      const pane = root?.querySelector(".c2b-pane");
      let lit: Element | null = null;
      const under = (x: number, y: number) => {
        const found = document.elementsFromPoint(x, y).filter((element) => pane?.contains(element));
        const wire = found.map((element) => element.closest<SVGElement>(".react-flow__edge")).find(Boolean) ?? null;
        const box = found.map((element) => element.closest<HTMLElement>(".react-flow__node")).find(Boolean) ?? null;
        return { inside: found.length > 0, wire: box ? null : wire, box };
      };
      const light = (wire: Element | null) => {
        if (lit === wire) return;
        lit?.classList.remove("c2b-lit");
        wire?.classList.add("c2b-lit");
        lit = wire;
      };
      const follow = (moved: globalThis.PointerEvent) => {
        const { wire } = under(moved.clientX, moved.clientY);
        light(wire);
        setGhost({ entry, x: moved.clientX, y: moved.clientY, wire: wire !== null });
        moved.preventDefault();
      };
      const stop = () => {
        light(null);
        setGhost(null);
        window.removeEventListener("pointermove", follow);
        window.removeEventListener("pointerup", end);
        window.removeEventListener("pointercancel", stop);
        window.removeEventListener("keydown", giveUp, true);
      };
      const end = (event: globalThis.PointerEvent) => {
        const { inside, wire, box } = under(event.clientX, event.clientY);
        stop();
        if (!inside) return;
        const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
        drop.current({
          entry,
          x: x - 60,
          y: y - 20,
          splice: wire?.getAttribute("data-id") ?? null,
          onto: box?.dataset.id ?? null,
        });
      };
      const giveUp = (event: KeyboardEvent) => {
        if (event.key === "Escape") stop();
      };
      window.addEventListener("pointermove", follow);
      window.addEventListener("pointerup", end);
      window.addEventListener("pointercancel", stop);
      window.addEventListener("keydown", giveUp, true);
    },
    [flow],
  );
  return { ghost, start };
}
