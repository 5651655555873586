import { useStore } from "@xyflow/react";
import { type RefObject, useEffect, useRef } from "react";
import type { Facts, Scene } from "../kernel/scene";
import { useTheme } from "../use_theme";
import { hueOf } from "./hues";

interface Props {
  scene: Scene;
  facts: Facts;
  heat: ReadonlyMap<string, number>;
  chosen: ReadonlySet<string>;
  root: RefObject<HTMLElement | null>;
}

/** The whole net on one canvas: boxes, frames and wires as plain strokes, for nets too large for elements. */
export function Overview({ scene, facts, heat, chosen, root }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const theme = useTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (canvas.current && root.current) {
        draw(canvas.current, root.current, { scene, facts, heat, chosen }, { x, y, zoom, width, height });
      }
    });
    return () => cancelAnimationFrame(frame);
  }, [scene, facts, heat, chosen, root, x, y, zoom, width, height, theme]);
  return <canvas ref={canvas} className="c2b-overview" />;
}

interface Drawn {
  scene: Scene;
  facts: Facts;
  heat: ReadonlyMap<string, number>;
  chosen: ReadonlySet<string>;
}

function draw(
  canvas: HTMLCanvasElement,
  root: HTMLElement,
  { scene, facts, heat, chosen }: Drawn,
  view: { x: number; y: number; zoom: number; width: number; height: number },
): void {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(view.width * scale));
  canvas.height = Math.max(1, Math.round(view.height * scale));
  canvas.style.width = `${view.width}px`;
  canvas.style.height = `${view.height}px`;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const style = getComputedStyle(root);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const line = colour("--c2b-line");
  const [left, top] = [-view.x / view.zoom, -view.y / view.zoom];
  const [right, bottom] = [left + view.width / view.zoom, top + view.height / view.zoom];
  const down = scene.direction === "down";
  pen.setTransform(scale * view.zoom, 0, 0, scale * view.zoom, scale * view.x, scale * view.y);

  pen.strokeStyle = colour("--c2b-rim");
  pen.lineWidth = 1 / view.zoom;
  for (const frame of scene.groups) if (frame.clear) pen.strokeRect(frame.x, frame.y, frame.w, frame.h);

  const place = new Map(scene.nodes.map((box) => [box.id, box]));
  pen.strokeStyle = line;
  pen.globalAlpha = 0.7;
  pen.beginPath();
  for (const wire of scene.edges) {
    const [from, to] = [place.get(wire.source), place.get(wire.target)];
    if (!from || !to) continue;
    const [x1, y1] = down ? [from.x + from.w / 2, from.y + from.h] : [from.x + from.w, from.y + from.h / 2];
    const [x2, y2] = down ? [to.x + to.w / 2, to.y] : [to.x, to.y + to.h / 2];
    if (Math.max(x1, x2) < left || Math.min(x1, x2) > right || Math.max(y1, y2) < top || Math.min(y1, y2) > bottom) {
      continue;
    }
    pen.moveTo(x1, y1);
    pen.lineTo(x2, y2);
  }
  pen.stroke();
  pen.globalAlpha = 1;

  const wrong = new Set(facts.problems.map((problem) => problem.node));
  const grey = new Set(facts.grey);
  const fills = new Map<string, string>();
  const named = view.zoom > 0.2;
  pen.font = `600 ${13}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  const ink = colour("--c2b-ink");
  for (const box of scene.nodes) {
    if (box.x > right || box.x + box.w < left || box.y > bottom || box.y + box.h < top) continue;
    const hue = wrong.has(box.id) ? "wrong" : grey.has(box.id) ? "grey" : hueOf(box.family);
    let fill = fills.get(hue);
    if (fill === undefined) {
      fill = colour(hue === "wrong" ? "--c2b-wrong" : `--c2b-bar-${hue}`);
      fills.set(hue, fill);
    }
    const warmth = heat.get(box.id);
    pen.fillStyle =
      warmth === undefined ? fill : `hsl(${Math.round(48 - 48 * warmth)} 90% ${Math.round(72 - 24 * warmth)}%)`;
    pen.globalAlpha = chosen.has(box.id) ? 1 : 0.8;
    pen.fillRect(box.x, box.y, box.w, box.h);
    if (named && box.w * view.zoom > 40) {
      pen.globalAlpha = 1;
      pen.fillStyle = warmth === undefined ? colour("--c2b-paper") : ink;
      pen.save();
      pen.beginPath();
      pen.rect(box.x, box.y, box.w, box.h);
      pen.clip();
      pen.fillText(box.type, box.x + 8, box.y + box.h / 2);
      pen.restore();
    }
    if (chosen.has(box.id)) {
      pen.strokeStyle = colour("--c2b-focus");
      pen.lineWidth = 3 / view.zoom;
      pen.strokeRect(box.x, box.y, box.w, box.h);
    }
  }
  pen.globalAlpha = 1;
}
