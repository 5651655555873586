import type { Kernel } from "./kernel/kernel";
import { CodePanel } from "./panels/CodePanel";
import { CostPanel } from "./panels/CostPanel";
import type { Column, CostRow } from "./panels/cost";
import type { Curves } from "./panels/curves";
import { FindPanel } from "./panels/FindPanel";
import { HelpPanel } from "./panels/HelpPanel";
import { OptimizerPanel } from "./panels/OptimizerPanel";
import { TrainPanel } from "./panels/TrainPanel";
import type { Tool } from "./Toolbar";

const TITLES: Record<Tool, string> = {
  cost: "Cost",
  code: "Code",
  find: "Find",
  help: "Keys",
  optimizer: "Optimizer",
  train: "Train",
};

interface Props {
  tool: Tool;
  kernel: Kernel;
  version: number;
  column: Column;
  curves: Curves;
  onColumn: (column: Column) => void;
  onRows: (rows: readonly CostRow[]) => void;
  onInsert: (source: string) => boolean;
  onClose: () => void;
  onRan: () => void;
}

/** What opens below the canvas. */
export function Drawer(props: Props) {
  const { tool, kernel, version } = props;
  return (
    <section className={`c2b-drawer c2b-drawer-${tool}`} aria-label={TITLES[tool]}>
      <button type="button" className="c2b-close" aria-label={`Close ${TITLES[tool]}`} onClick={props.onClose}>
        ×
      </button>
      {tool === "cost" && <CostPanel {...props} />}
      {tool === "code" && <CodePanel kernel={kernel} version={version} onInsert={props.onInsert} />}
      {tool === "find" && <FindPanel kernel={kernel} onClose={props.onClose} />}
      {tool === "help" && <HelpPanel />}
      {tool === "optimizer" && <OptimizerPanel kernel={kernel} onDone={props.onClose} />}
      {tool === "train" && <TrainPanel kernel={kernel} curves={props.curves} onRan={props.onRan} />}
    </section>
  );
}
