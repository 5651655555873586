import type { Model } from "../kernel/model";
import { Chart, type View } from "./chart";
import type { EvaluationMessage, Message, PinMessage } from "./messages";
import { confusionTable, histogramOverTime, imageGrid, type Spread } from "./pictures";
import { Series } from "./series";
import { button, element, field, type State, told } from "./widgets";

const FEWEST = 20;

interface Pin {
  box: HTMLElement;
  history: Spread[];
}

/** The panel of one run in one place of the page. */
export class Panel {
  private readonly run = new Series("this run");
  private readonly others: Series[] = [];
  private readonly charts = new Map<string, Chart>();
  private readonly pins = new Map<string, Pin>();
  private tests: Record<string, [number, number][]> = {};
  private markers: [number, string][] = [];
  private view: View = { from: 1, to: FEWEST };
  private follows = true;
  private logarithmic = false;
  private smoothing = 0.9;
  private drawing = 0;
  private steering = false;

  private readonly figures = element("p", "c2-training-figures");
  private readonly said = element("p", "c2-training-said");
  private readonly grid = element("div", "c2-training-charts");
  private readonly pinned = element("div", "c2-training-pins");
  private readonly classes = element("div", "c2-training-classes");
  private readonly blobs = element("datalist");
  private readonly overlays = element("select");
  private readonly pause = button("Pause", "Wait after the running step", () => this.ask(this.paused ? "go" : "pause"));
  private readonly step = button("Step", "Make one step, then wait", () => this.ask("step"));
  private readonly stop = button("Stop", "End the run after the running step", () => this.ask("stop"));
  private readonly save = button("Snapshot", "Save a checkpoint that stays", () => this.ask("snapshot"));
  private readonly slider = element("input");
  private readonly rate = element("input");
  private readonly follow = element("input");
  private paused = false;

  constructor(
    private readonly model: Model,
    private readonly el: HTMLElement,
  ) {
    el.classList.add("c2-training");
    el.dataset.lmSuppressShortcuts = "true";
    el.tabIndex = 0;
    this.said.setAttribute("role", "status");
    el.append(this.toolbar(), this.figures, this.said, this.options(), this.grid, this.pinned, this.classes);
    this.ask("hello");
  }

  private toolbar(): HTMLElement {
    this.slider.type = "range";
    this.slider.min = "-6";
    this.slider.max = "1";
    this.slider.step = "0.01";
    this.slider.setAttribute("aria-label", "Learning rate, logarithmic");
    this.rate.type = "text";
    this.rate.inputMode = "decimal";
    this.rate.size = 9;
    this.rate.setAttribute("aria-label", "Learning rate");
    this.slider.addEventListener("pointerdown", () => (this.steering = true));
    this.slider.addEventListener("input", () => {
      this.steering = true;
      this.rate.value = (10 ** Number(this.slider.value)).toPrecision(3);
    });
    this.slider.addEventListener("change", () => {
      this.steering = false;
      this.ask("rate", 10 ** Number(this.slider.value));
    });
    this.rate.addEventListener("focus", () => (this.steering = true));
    this.rate.addEventListener("blur", () => (this.steering = false));
    this.rate.addEventListener("change", () => {
      const wanted = Number(this.rate.value);
      if (Number.isFinite(wanted) && wanted >= 0) this.ask("rate", wanted);
    });
    const csv = button("CSV", "Save all numbers as a file", () => this.ask("csv"));
    const bar = element("div", "c2-training-bar");
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Training");
    bar.append(this.pause, this.step, this.stop, field("Rate", this.slider), this.rate, this.save, csv);
    return bar;
  }

  private options(): HTMLElement {
    const bar = element("div", "c2-training-bar c2-training-options");
    const log = element("input");
    log.type = "checkbox";
    log.addEventListener("change", () => {
      this.logarithmic = log.checked;
      this.rebuild();
    });
    this.follow.type = "checkbox";
    this.follow.checked = true;
    this.follow.addEventListener("change", () => {
      this.follows = this.follow.checked;
      this.draw();
    });
    const smooth = element("input");
    smooth.type = "range";
    smooth.min = "0";
    smooth.max = "0.99";
    smooth.step = "0.01";
    smooth.value = String(this.smoothing);
    smooth.addEventListener("input", () => {
      this.smoothing = Number(smooth.value);
      this.draw();
    });
    const all = button("All", "Show the whole run", () => {
      this.setFollows(true);
    });
    const pin = element("input");
    pin.type = "text";
    pin.size = 14;
    pin.placeholder = "a blob";
    this.blobs.id = `c2-blobs-${Math.random().toString(36).slice(2)}`;
    pin.setAttribute("list", this.blobs.id);
    const take = () => {
      if (pin.value) this.ask("pin", pin.value);
      pin.value = "";
    };
    pin.addEventListener("change", take);
    // With its list of choices open, Enter closes the list and changes nothing.
    pin.addEventListener("keydown", (event) => event.key === "Enter" && take());
    this.overlays.addEventListener("change", () => {
      if (this.overlays.value) this.ask("overlay", this.overlays.value);
      this.overlays.value = "";
    });
    bar.append(
      field("Log axis", log),
      field("Smoothing", smooth),
      field("Follow", this.follow),
      all,
      field("Pin", pin),
      this.blobs,
      field("Overlay", this.overlays),
    );
    return bar;
  }

  private ask(command: string, value?: unknown): void {
    this.model.send({ command, value });
  }

  /** Takes in a message of the kernel. */
  receive(message: Message, buffers: DataView[] = []): void {
    const content = buffers[0] ?? new DataView(new ArrayBuffer(0));
    switch (message.kind) {
      case "rows":
        this.run.add(message.names, message.count, content, message.first);
        this.draw();
        break;
      case "tests":
        this.tests = message.tests;
        this.draw();
        break;
      case "markers":
        this.markers = message.markers;
        this.draw();
        break;
      case "state":
        this.show(message);
        break;
      case "overlay": {
        const other = new Series(message.run);
        other.add(message.names, message.count, content, true);
        this.others.push(other);
        this.draw();
        break;
      }
      case "known":
        this.blobs.replaceChildren(...message.blobs.map(choice));
        this.overlays.replaceChildren(choice(""), ...message.runs.map(choice));
        break;
      case "pin":
        this.showPin(message, content, buffers[1] ?? content);
        break;
      case "evaluation":
        this.showClasses(message, content);
        break;
      case "csv":
        download(message.name, content);
        break;
      default:
        this.said.textContent = message.text;
        this.said.classList.toggle("c2-training-problem", message.kind === "problem");
    }
  }

  private show(state: State): void {
    const ended = state.state === "done" || state.state === "stopped" || state.state === "failed";
    this.paused = state.state === "paused";
    this.pause.textContent = this.paused ? "Go on" : "Pause";
    for (const part of [this.pause, this.step, this.stop]) part.disabled = ended;
    this.slider.disabled = this.rate.disabled = ended || !state.steered;
    this.save.disabled = !state.kept || ended;
    this.figures.textContent = told(state);
    this.el.dataset.state = state.state;
    if (state.error) {
      this.said.textContent = state.error;
      this.said.classList.add("c2-training-problem");
    }
    if (state.rate && !this.steering) {
      this.rate.value = state.rate.toPrecision(3);
      this.slider.value = String(Math.log10(state.rate));
    }
  }

  private setFollows(follows: boolean): void {
    this.follows = follows;
    this.follow.checked = follows;
    this.draw();
  }

  /** Zooming ends following, so that what one looks at does not jump. */
  private readonly moved = (view: View): void => {
    this.view = view;
    this.setFollows(false);
  };

  /** Draws soon, however often it is asked for. */
  draw(): void {
    if (!this.drawing) this.drawing = requestAnimationFrame(() => this.drawNow());
  }

  private drawNow(): void {
    this.drawing = 0;
    const all = [this.run, ...this.others];
    if (this.follows) {
      const last = Math.max(FEWEST, ...all.map((series) => (series.steps.length ? series.steps.last() : 0)));
      this.view = { from: 1, to: last };
    }
    const shown = { view: this.view, logarithmic: this.logarithmic, smoothing: this.smoothing, markers: this.markers };
    // All places are there before the first is drawn into: how wide each is depends on how many there are.
    for (const metric of all.flatMap((series) => [...series.columns.keys()])) this.addChart(metric);
    for (const [metric, chart] of this.charts) chart.draw(all, this.tests[`test_${metric}`] ?? [], shown);
  }

  private addChart(metric: string): void {
    if (this.charts.has(metric)) return;
    const box = element("figure", "c2-training-chart");
    const title = element("figcaption");
    title.textContent = metric.replaceAll("_", " ");
    const place = element("div");
    box.append(title, place);
    this.grid.append(box);
    this.charts.set(metric, new Chart(place, metric, 190, this.moved));
  }

  /** After a change of axes or theme. */
  rebuild(): void {
    for (const chart of this.charts.values()) chart.destroy();
    this.charts.clear();
    this.grid.replaceChildren();
    this.draw();
  }

  private showPin(message: PinMessage, counts: DataView, pictures: DataView): void {
    let pin = this.pins.get(message.blob);
    if (!pin) {
      const box = element("figure", "c2-training-pin");
      pin = { box, history: [] };
      this.pins.set(message.blob, pin);
      this.pinned.append(box);
    }
    const title = element("figcaption");
    const away = button("×", `Unpin ${message.blob}`, () => {
      this.ask("unpin", message.blob);
      this.pins.delete(message.blob);
      pin?.box.remove();
    });
    if (message.problem) {
      title.textContent = message.problem;
      pin.box.replaceChildren(title, away);
      return;
    }
    const values = new Float32Array(counts.buffer.slice(counts.byteOffset, counts.byteOffset + counts.byteLength));
    if (pin.history.at(-1)?.step === message.step) pin.history.pop();
    pin.history.push({ step: message.step, low: message.low, high: message.high, counts: values });
    if (pin.history.length > 160) pin.history.shift();
    title.textContent = `${message.blob} (${message.dims.join(", ")})  norm ${message.norm.toPrecision(4)}, ${message.low.toPrecision(3)} to ${message.high.toPrecision(3)}`;
    const colour = getComputedStyle(this.el).getPropertyValue("--c2-blue").trim() || "#2f6fde";
    const images = imageGrid(pictures, message.shape, `pictures of ${message.blob}`);
    pin.box.replaceChildren(
      title,
      away,
      histogramOverTime(pin.history, colour, `histogram of ${message.blob} over time`),
    );
    if (images) pin.box.append(images);
  }

  private showClasses(message: EvaluationMessage, content: DataView): void {
    const worst = element("figure", "c2-training-worst");
    const title = element("figcaption");
    title.textContent = message.worst.length
      ? "worst mistakes (true class → guess, probability of the truth)"
      : "no mistakes";
    worst.append(title);
    const images = imageGrid(content, message.shape, "the pictures that were taken for something else");
    if (images) worst.append(images);
    const list = element("ol");
    for (const [sample, truth, guess, probability] of message.worst) {
      const entry = element("li");
      entry.textContent = `${truth} → ${guess}  ${probability.toPrecision(2)}  (sample ${sample})`;
      list.append(entry);
    }
    worst.append(list);
    this.classes.replaceChildren(confusionTable(message.confusion), worst);
  }

  close(): void {
    cancelAnimationFrame(this.drawing);
    for (const chart of this.charts.values()) chart.destroy();
  }
}

function choice(text: string): HTMLOptionElement {
  const made = element("option");
  made.value = made.textContent = text;
  return made;
}

function download(name: string, content: DataView): void {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([content as DataView<ArrayBuffer>], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
