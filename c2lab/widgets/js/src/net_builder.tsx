import { createRoot } from "react-dom/client";
import { ReactFlow } from "@xyflow/react";
import type { Model } from "./model";
import "@xyflow/react/dist/base.css";

interface Box {
  id: string;
  type: string;
  name: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const root = createRoot(el);
  const draw = () => {
    const scene = model.get("scene") as { nodes: Box[]; edges: { id: string; source: string; target: string }[] };
    root.render(
      <div data-c2lab="net-builder" style={{ height: Number(model.get("height")) }}>
        <ReactFlow
          nodes={scene.nodes.map((box) => ({
            id: box.id,
            position: { x: box.x, y: box.y },
            width: box.w,
            height: box.h,
            data: { label: `${box.type} ${box.name}` },
          }))}
          edges={scene.edges.map(({ id, source, target }) => ({ id, source, target }))}
          fitView
        />
      </div>,
    );
  };
  model.on("change:scene", draw);
  draw();
  return () => {
    model.off("change:scene", draw);
    root.unmount();
  };
}

export default { render };
