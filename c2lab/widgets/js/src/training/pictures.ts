/** Pictures on canvases: images, histograms over time, the confusion matrix. */

function canvas(width: number, height: number, label: string): HTMLCanvasElement {
  const made = document.createElement("canvas");
  made.width = width;
  made.height = height;
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", label);
  return made;
}

/** Images of bytes in a grid, enlarged so that single pixels can be seen. */
export function imageGrid(content: DataView, shape: number[], label: string): HTMLCanvasElement | null {
  if (shape.length !== 4) return null;
  const [count, height, width, channels] = shape as [number, number, number, number];
  const columns = Math.ceil(Math.sqrt(count * 2));
  const rows = Math.ceil(count / columns);
  const made = canvas(columns * (width + 1) - 1, rows * (height + 1) - 1, label);
  const context = made.getContext("2d") as CanvasRenderingContext2D;
  for (let image = 0; image < count; image++) {
    const pixels = context.createImageData(width, height);
    for (let k = 0; k < width * height; k++) {
      const at = (image * width * height + k) * channels;
      for (let c = 0; c < 3; c++) pixels.data[4 * k + c] = content.getUint8(at + (channels === 3 ? c : 0));
      pixels.data[4 * k + 3] = 255;
    }
    context.putImageData(pixels, (image % columns) * (width + 1), Math.floor(image / columns) * (height + 1));
  }
  const scale = Math.max(1, Math.min(6, Math.floor(420 / made.width)));
  made.style.width = `${made.width * scale}px`;
  made.className = "c2-training-pixels";
  return made;
}

export interface Spread {
  step: number;
  low: number;
  high: number;
  counts: Float32Array;
}

/** One column a time, dark where many values are. */
export function histogramOverTime(history: Spread[], colour: string, label: string): HTMLCanvasElement {
  const made = canvas(320, 120, label);
  const context = made.getContext("2d") as CanvasRenderingContext2D;
  const low = Math.min(...history.map((spread) => spread.low));
  const high = Math.max(...history.map((spread) => spread.high), low + 1e-12);
  const width = made.width / history.length;
  context.fillStyle = colour;
  history.forEach((spread, index) => {
    const most = Math.max(...spread.counts, 1);
    const bin = (spread.high - spread.low) / spread.counts.length;
    spread.counts.forEach((count, k) => {
      if (count === 0) return;
      context.globalAlpha = 0.15 + 0.85 * Math.sqrt(count / most);
      const top = ((high - (spread.low + (k + 1) * bin)) / (high - low)) * made.height;
      const tall = Math.max(1, (bin / (high - low)) * made.height);
      context.fillRect(index * width, top, Math.max(1, width), tall);
    });
  });
  return made;
}

/** Rows are true classes, columns are guesses; each row is shaded by its own sum. */
export function confusionTable(matrix: number[][]): HTMLTableElement {
  const table = document.createElement("table");
  table.className = "c2-training-confusion";
  const caption = table.createCaption();
  caption.textContent = "true class (row) taken for class (column)";
  const head = table.createTHead().insertRow();
  head.append(cell("th", ""), ...matrix.map((_, k) => cell("th", String(k))));
  const body = table.createTBody();
  matrix.forEach((counts, truth) => {
    const row = body.insertRow();
    row.append(cell("th", String(truth)));
    const sum = counts.reduce((a, b) => a + b, 0) || 1;
    counts.forEach((count, guess) => {
      const made = cell("td", count ? String(count) : "");
      made.style.setProperty("--share", String(Math.round((100 * count) / sum)));
      if (count && guess !== truth) made.className = "c2-training-wrong";
      row.append(made);
    });
  });
  return table;
}

function cell(kind: "th" | "td", text: string): HTMLElement {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}
