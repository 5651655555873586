export const COLUMNS = ["flops", "bytes", "parameters", "activations", "ms"] as const;

export type Column = (typeof COLUMNS)[number];

export interface CostRow {
  node: string;
  name: string;
  type: string;
  flops: number | null;
  bytes: number | null;
  parameters: number | null;
  activations: number | null;
  ms?: number | null;
}

/** The rows by a column; what is not known comes last. */
export function sorted(rows: readonly CostRow[], column: Column, down: boolean): CostRow[] {
  const known = (row: CostRow) => row[column] ?? null;
  return [...rows].sort((a, b) => {
    const [one, other] = [known(a), known(b)];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return down ? other - one : one - other;
  });
}

/** How warm each box is, from 0 to 1, by the root of its share of the dearest. */
export function heatOf(rows: readonly CostRow[], column: Column): Map<string, number> {
  const most = Math.max(0, ...rows.map((row) => row[column] ?? 0));
  const heat = new Map<string, number>();
  if (most > 0) for (const row of rows) heat.set(row.node, Math.sqrt((row[column] ?? 0) / most));
  return heat;
}
