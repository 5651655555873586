import { ReactFlowProvider } from "@xyflow/react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { Kernel } from "./kernel/kernel";
import type { Model } from "./kernel/model";
import "@xyflow/react/dist/base.css";
import "./style.css";

/** Shows the canvas in an element; returns how to take it away. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const kernel = new Kernel(model);
  const root = createRoot(el);
  root.render(
    <ReactFlowProvider>
      <App kernel={kernel} el={el} />
    </ReactFlowProvider>,
  );
  return () => {
    root.unmount();
    kernel.close();
  };
}

export default { render };
