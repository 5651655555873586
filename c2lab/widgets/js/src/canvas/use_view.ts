import { useReactFlow, useStoreApi } from "@xyflow/react";
import { useCallback, useMemo } from "react";
import type { Box } from "../kernel/scene";
import { bounds, fitted, revealing } from "./viewport";

export interface ViewActions {
  /** Shows all boxes, none smaller than `least`. */
  fit(boxes: readonly Box[], least?: number): void;
  /** Moves no more than needed for the boxes to be seen, and not so small that they cannot be read. */
  show(boxes: readonly Box[]): void;
  zoomBy(factor: number): void;
  /** Whether the canvas has a size yet. */
  ready(): boolean;
  centre(): { x: number; y: number };
}

/** Ways to look at the canvas. */
export function useView(): ViewActions {
  const flow = useReactFlow();
  const store = useStoreApi();
  const size = useCallback(() => {
    const { width, height } = store.getState();
    return [width, height] as const;
  }, [store]);
  return useMemo(
    () => ({
      fit(boxes, least = 0.05) {
        const [width, height] = size();
        if (width > 0) flow.setViewport(fitted(boxes, width, height, least));
      },
      show(boxes) {
        const [width, height] = size();
        const place = bounds(boxes);
        if (!place || width <= 0) return;
        const now = flow.getViewport();
        const view = { ...now, zoom: now.zoom };
        if (now.zoom < 0.5) flow.setViewport(fitted([place], width, height, 0.8, 1));
        else if (place.w * view.zoom > width - 64 || place.h * view.zoom > height - 64) {
          flow.setViewport(fitted([place], width, height, 0.5, view.zoom));
        } else {
          const next = revealing(view, place, width, height);
          if (next !== view) flow.setViewport(next);
        }
      },
      zoomBy(factor) {
        flow.zoomTo(flow.getViewport().zoom * factor);
      },
      ready() {
        return size()[0] > 0;
      },
      centre() {
        const [width, height] = size();
        const { x, y, zoom } = flow.getViewport();
        return { x: (width / 2 - x) / zoom, y: (height / 2 - y) / zoom };
      },
    }),
    [flow, size],
  );
}
