import uPlot from "uplot";
import { type Series, smoothed } from "./series";

export interface View {
  from: number;
  to: number;
}

export interface Shown {
  view: View;
  logarithmic: boolean;
  smoothing: number;
  markers: [number, string][];
}

const COLOURS = ["--c2-blue", "--c2-orange", "--c2-green", "--c2-violet", "--c2-teal", "--c2-pink"];

/** One metric: raw faint, smoothed bold, tests as dots, other runs beside it. */
export class Chart {
  private plot: uPlot | null = null;
  private runs = 0;
  private width = 0;

  constructor(
    private readonly place: HTMLElement,
    readonly metric: string,
    private readonly height: number,
    private readonly moved: (view: View) => void,
  ) {}

  draw(all: Series[], tests: [number, number][], shown: Shown): void {
    const { from, to } = shown.view;
    const width = Math.max(200, this.place.clientWidth);
    const cuts = all.map((series) => series.cut(this.metric, from, to, width));
    const steps = [...new Set([...cuts.flatMap((cut) => cut.steps), ...tests.map(([step]) => step)])].sort(
      (a, b) => a - b,
    );
    const position = new Map(steps.map((step, index) => [step, index]));
    const column = (from: number[], values: (number | null)[]): (number | null | undefined)[] => {
      const found: (number | null | undefined)[] = new Array(steps.length).fill(undefined);
      from.forEach((step, index) => {
        const value = values[index] ?? null;
        found[position.get(step) as number] = shown.logarithmic && value !== null && value <= 0 ? null : value;
      });
      return found;
    };
    const data: unknown[] = [steps];
    for (const cut of cuts) {
      data.push(column(cut.steps, cut.values));
      data.push(column(cut.steps, smoothed(cut.values, this.metric === "rate" ? 0 : shown.smoothing)));
    }
    data.push(
      column(
        tests.map(([step]) => step),
        tests.map(([, value]) => value),
      ),
    );
    if (!this.plot || this.runs !== all.length) this.build(all, shown, width);
    const plot = this.plot as uPlot;
    if (this.width !== width) plot.setSize({ width, height: this.height });
    this.width = width;
    (plot as uPlot & { shown: Shown }).shown = shown;
    plot.batch(() => {
      plot.setData(data as uPlot.AlignedData, false);
      plot.setScale("x", { min: from, max: Math.max(to, from + 1) });
      plot.setScale("y", range(data.slice(1) as (number | null | undefined)[][], shown.logarithmic));
    });
  }

  /** Colours and axes are those of the theme at the time of building. */
  build(all: Series[], shown: Shown, width: number): void {
    this.plot?.destroy();
    this.runs = all.length;
    const style = getComputedStyle(this.place);
    const colour = (name: string) => style.getPropertyValue(name).trim() || "#888";
    const axis = {
      stroke: colour("--c2-ink"),
      grid: { stroke: colour("--c2-line") },
      ticks: { stroke: colour("--c2-line") },
    };
    const series: uPlot.Series[] = [{ label: "step" }];
    all.forEach((run, index) => {
      const stroke = colour(COLOURS[index % COLOURS.length] ?? "--c2-blue");
      series.push({
        label: `${run.name} raw`,
        stroke: `${stroke}55`,
        width: 1,
        points: { show: false },
        spanGaps: true,
      });
      series.push({ label: run.name, stroke, width: 2, points: { show: false }, spanGaps: true });
    });
    series.push({
      label: "test",
      stroke: colour("--c2-orange"),
      width: 0,
      paths: () => null,
      points: { show: true, size: 6, fill: colour("--c2-orange") },
    });
    const options: uPlot.Options = {
      width,
      height: this.height,
      series,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { time: false },
        y: { distr: shown.logarithmic ? 3 : 1 },
      },
      axes: [axis, { ...axis, size: 56 }],
      hooks: {
        setSelect: [
          (plot) => {
            if (plot.select.width < 4) return;
            this.moved({
              from: plot.posToVal(plot.select.left, "x"),
              to: plot.posToVal(plot.select.left + plot.select.width, "x"),
            });
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        draw: [(plot) => lines(plot, (plot as uPlot & { shown?: Shown }).shown?.markers ?? [], colour("--c2-ink"))],
      },
    };
    this.plot = new uPlot(options, undefined, this.place);
    this.pans(this.plot);
  }

  /** Shift and drag, or the wheel with Ctrl: the plain wheel scrolls the notebook. */
  private pans(plot: uPlot): void {
    plot.over.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
        event.preventDefault();
        const { min = 0, max = 1 } = plot.scales.x ?? {};
        const span = max - min;
        if (event.shiftKey) {
          const by = ((event.deltaY || event.deltaX) / 400) * span;
          this.moved({ from: min + by, to: max + by });
          return;
        }
        const at = plot.posToVal(event.offsetX, "x");
        const factor = event.deltaY < 0 ? 0.8 : 1.25;
        this.moved({ from: at - (at - min) * factor, to: at + (max - at) * factor });
      },
      { passive: false },
    );
  }

  destroy(): void {
    this.plot?.destroy();
    this.plot = null;
  }
}

function lines(plot: uPlot, markers: [number, string][], colour: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.6;
  ctx.setLineDash([4, 4]);
  ctx.font = `${10 * devicePixelRatio}px sans-serif`;
  for (const [step, text] of markers) {
    const x = plot.valToPos(step, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(text.slice(0, 24), x + 3, bbox.top + 10 * devicePixelRatio);
  }
  ctx.restore();
}

function range(columns: (number | null | undefined)[][], logarithmic: boolean): { min: number; max: number } {
  let min = Infinity;
  let max = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value === null || value === undefined) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (min > max) return { min: logarithmic ? 0.1 : 0, max: 1 };
  if (logarithmic) return { min: min / 1.15, max: max * 1.15 };
  const margin = (max - min || Math.abs(max) || 1) * 0.06;
  return { min: min - margin, max: max + margin };
}
