import { useContext, useEffect, useState } from "react";
import { Actions } from "../actions";
import type { Kernel } from "../kernel/kernel";
import { COLUMNS, type Column, type CostRow, sorted } from "./cost";
import { amount } from "./numbers";

interface Props {
  kernel: Kernel;
  version: number;
  column: Column;
  onColumn: (column: Column) => void;
  onRows: (rows: readonly CostRow[]) => void;
}

/** What each operator costs; the column that is sorted by colours the canvas. */
export function CostPanel({ kernel, version, column, onColumn, onRows }: Props) {
  const actions = useContext(Actions);
  const [rows, setRows] = useState<CostRow[] | null>(null);
  const [totals, setTotals] = useState<Record<string, number>>({});
  const [down, setDown] = useState(true);
  const [why, setWhy] = useState("");
  const [busy, setBusy] = useState(false);

  const ask = async (measure: boolean) => {
    setBusy(true);
    try {
      const reply = await kernel.request("cost", { on: true, measure });
      const found = (reply.rows ?? []) as CostRow[];
      setRows(found);
      setTotals((reply.totals ?? {}) as Record<string, number>);
      onRows(found);
      setWhy("");
    } catch (error) {
      setWhy((error as Error).message);
    }
    setBusy(false);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again for each version of the net
  useEffect(() => {
    ask(false);
  }, [kernel, version]);

  const measured = rows?.some((row) => row.ms !== null && row.ms !== undefined);
  return (
    <div className="c2b-cost">
      <div className="c2b-bar">
        <button type="button" disabled={busy} onClick={() => ask(true)}>
          Measure time
        </button>
        {busy && <span role="status">working…</span>}
        {why && <span role="alert">{why}</span>}
      </div>
      <div className="c2b-scroll">
        <table>
          <caption className="c2b-hidden">Cost of each operator</caption>
          <thead>
            <tr>
              <th scope="col">operator</th>
              {COLUMNS.map((name) => (
                <th key={name} scope="col" aria-sort={name === column ? (down ? "descending" : "ascending") : "none"}>
                  <button
                    type="button"
                    onClick={() => {
                      setDown(name === column ? !down : true);
                      onColumn(name);
                    }}
                  >
                    {name}
                    {name === column ? (down ? " ↓" : " ↑") : ""}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted(rows ?? [], column, down).map((row) => (
              <tr key={row.node}>
                <th scope="row">
                  <button type="button" className="c2b-link" onClick={() => actions.reveal(row.node)}>
                    {row.name}
                  </button>
                </th>
                {COLUMNS.map((name) => (
                  <td key={name}>{name === "ms" ? (row.ms?.toFixed(3) ?? "–") : amount(row[name])}</td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">whole net</th>
              {COLUMNS.map((name) => (
                <td key={name}>
                  {name === "ms" ? (measured ? (totals.ms?.toFixed(3) ?? "–") : "–") : amount(totals[name])}
                </td>
              ))}
            </tr>
          </tfoot>
        </table>
      </div>
    </div>
  );
}
