import { useContext, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { Actions } from "../actions";
import type { Kernel } from "../kernel/kernel";
import { useTheme } from "../use_theme";
import type { Curves } from "./curves";
import { brief } from "./numbers";

interface Told {
  step: number;
  steps: number;
  values: Record<string, number>;
  steps_a_second: number;
  running: boolean;
  error: string | null;
}

interface Props {
  kernel: Kernel;
  curves: Curves;
  onRan: () => void;
}

/** A plain live run: curves, and buttons that stop and pause it. */
export function TrainPanel({ kernel, curves, onRan }: Props) {
  const actions = useContext(Actions);
  const [told, setTold] = useState<Told | null>(null);
  const [steps, setSteps] = useState(200);
  const [batch, setBatch] = useState(64);
  const [paused, setPaused] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);

  const theme = useTheme();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the curves are drawn again in the colours of the theme
  useEffect(() => {
    const draw = () => {
      if (!place.current || curves.names.length === 0) return;
      plot.current?.destroy();
      plot.current = new uPlot(options(curves, place.current), curves.data(), place.current);
    };
    draw();
    const watch = new ResizeObserver(() => {
      if (place.current)
        plot.current?.setSize({ width: place.current.clientWidth, height: place.current.clientHeight });
    });
    if (place.current) watch.observe(place.current);
    const stop = kernel.onEvent((event) => {
      if (event.event !== "train") return;
      const news = event as unknown as Told;
      setTold(news);
      if (curves.add(news.step, news.values ?? {})) draw();
      else plot.current?.setData(curves.data());
      if (!news.running) onRan();
      if (news.error) actions.complain(news.error);
    });
    return () => {
      stop();
      watch.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [kernel, curves, onRan, actions, theme]);

  const running = told?.running ?? false;
  const start = async () => {
    curves.clear();
    plot.current?.destroy();
    plot.current = null;
    setPaused(false);
    const reply = await actions.send("train", { action: "start", steps, batch });
    if (reply) setTold((before) => ({ ...(before ?? EMPTY), running: reply.running !== false, error: null }));
  };
  return (
    <div className="c2b-train">
      <div className="c2b-bar">
        <label>
          steps <input type="number" min={1} value={steps} onChange={(event) => setSteps(Number(event.target.value))} />
        </label>
        <label>
          batch <input type="number" min={1} value={batch} onChange={(event) => setBatch(Number(event.target.value))} />
        </label>
        <button type="button" className="c2b-main" disabled={running} onClick={start}>
          Start
        </button>
        <button type="button" disabled={!running} onClick={() => actions.send("train", { action: "stop" })}>
          Stop
        </button>
        <button
          type="button"
          disabled={!running}
          aria-pressed={paused}
          onClick={async () => {
            if (await actions.send("train", { action: paused ? "go" : "pause" })) setPaused(!paused);
          }}
        >
          Pause
        </button>
        <span role="status">{standing(told, running)}</span>
      </div>
      <div ref={place} className="c2b-plot" />
    </div>
  );
}

/** How the run stands, in one line. */
function standing(told: Told | null, running: boolean): string {
  if (!told) return "Not trained yet.";
  if (told.step === 0) return running ? "Starting …" : "Stopped before the first step.";
  const parts = [`step ${told.step} of ${told.steps}`];
  for (const [name, value] of Object.entries(told.values)) parts.push(`${name} ${brief(value)}`);
  if (running) parts.push(`${brief(told.steps_a_second)} steps/s`);
  return parts.join(" · ");
}

const EMPTY: Told = { step: 0, steps: 0, values: {}, steps_a_second: 0, running: false, error: null };
const INKS = ["--c2b-bar-blue", "--c2b-bar-orange", "--c2b-bar-green", "--c2b-bar-violet", "--c2b-bar-teal"];

function options(curves: Curves, place: HTMLElement): uPlot.Options {
  const style = getComputedStyle(place);
  const ink = style.getPropertyValue("--c2b-ink").trim();
  const rim = style.getPropertyValue("--c2b-rim").trim();
  const axis = { stroke: ink, grid: { stroke: rim, width: 1 }, ticks: { stroke: rim, width: 1 } };
  return {
    width: place.clientWidth || 400,
    height: place.clientHeight || 140,
    scales: { x: { time: false }, accuracy: { range: [0, 1] } },
    axes: [axis, axis, ...(curves.names.some(isShare) ? [{ ...axis, scale: "accuracy", side: 1 as const }] : [])],
    series: [
      { label: "step" },
      ...curves.names.flatMap((name, k) => {
        const stroke = style.getPropertyValue(INKS[k % INKS.length] ?? "").trim();
        const scale = isShare(name) ? "accuracy" : "y";
        return [
          { label: name, stroke: `${stroke}55`, width: 1, scale },
          { label: `${name} (smooth)`, stroke, width: 2, scale },
        ];
      }),
    ],
    legend: { show: false },
  };
}

function isShare(name: string): boolean {
  return /accuracy|share/i.test(name);
}
