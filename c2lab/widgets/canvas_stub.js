// The part of the canvas that is stored with a notebook: it asks the kernel for the rest, once a page.
const KEPT = Symbol.for("c2lab.canvas");
const PATIENCE = 30_000;

function ask(model) {
  return new Promise((resolve, reject) => {
    const id = `bundle ${Math.random()}`;
    const timer = setTimeout(() => done(reject, new Error("no kernel answers")), PATIENCE);
    const listen = (message, buffers) => {
      if (message?.reply === id) done(resolve, buffers);
    };
    function done(end, value) {
      clearTimeout(timer);
      model.off("msg:custom", listen);
      end(value);
    }
    model.on("msg:custom", listen);
    model.send({ id, command: "bundle" });
  });
}

async function fetchCanvas(model) {
  const [script, style] = await ask(model);
  if (!document.getElementById("c2lab-canvas-style")) {
    const sheet = document.createElement("style");
    sheet.id = "c2lab-canvas-style";
    sheet.textContent = new TextDecoder().decode(style);
    document.head.append(sheet);
  }
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  try {
    return await import(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}

export default {
  async render({ model, el, ...rest }) {
    globalThis[KEPT] ??= fetchCanvas(model).catch((error) => {
      delete globalThis[KEPT];
      throw error;
    });
    try {
      const canvas = await globalThis[KEPT];
      return canvas.default.render({ model, el, ...rest });
    } catch {
      const told = document.createElement("p");
      told.textContent = "The canvas needs a running kernel: run this cell again.";
      el.append(told);
    }
  },
};
