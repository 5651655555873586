import type { Model } from "./kernel/model";
import type { Message } from "./training/messages";
import { Panel } from "./training/panel";
import "uplot/dist/uPlot.min.css";
import "./training/panel.css";

/** Shows the panel of a run in an element; returns how to take it away. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const panel = new Panel(model, el);
  const receive = (message: Message, buffers?: DataView[]) => panel.receive(message, buffers);
  model.on("msg:custom", receive as never);
  const watch = new MutationObserver(() => panel.rebuild());
  watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  const sizes = new ResizeObserver(() => panel.draw());
  sizes.observe(el);
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  const repaint = () => panel.rebuild();
  scheme.addEventListener("change", repaint);
  return () => {
    model.off("msg:custom", receive as never);
    watch.disconnect();
    sizes.disconnect();
    scheme.removeEventListener("change", repaint);
    panel.close();
  };
}

export default { render };
