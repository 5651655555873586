const KEEP = 0.9;
const MOST = 4000;

/** Named curves over steps, each with a running mean; thinned by halves when they grow long. */
export class Curves {
  names: string[] = [];
  private steps: number[] = [];
  private raw = new Map<string, (number | null)[]>();
  private smooth = new Map<string, (number | null)[]>();

  clear(): void {
    this.names = [];
    this.steps = [];
    this.raw.clear();
    this.smooth.clear();
  }

  /** Adds a point of each curve; returns whether there is a new curve among them. */
  add(step: number, values: Readonly<Record<string, number>>): boolean {
    const fresh = Object.keys(values).filter((name) => !this.raw.has(name));
    for (const name of fresh) {
      this.names.push(name);
      this.raw.set(
        name,
        this.steps.map(() => null),
      );
      this.smooth.set(
        name,
        this.steps.map(() => null),
      );
    }
    if (Object.keys(values).length === 0) return false;
    this.steps.push(step);
    for (const name of this.names) {
      const value = Number.isFinite(values[name]) ? (values[name] as number) : null;
      const means = this.smooth.get(name) as (number | null)[];
      const last = means.at(-1) ?? null;
      this.raw.get(name)?.push(value);
      means.push(value === null ? last : last === null ? value : KEEP * last + (1 - KEEP) * value);
    }
    if (this.steps.length > MOST) this.thin();
    return fresh.length > 0;
  }

  /** Steps, then each curve and its mean, as uPlot wants them. */
  data(): [number[], ...(number | null)[][]] {
    return [this.steps, ...this.names.flatMap((name) => [this.raw.get(name) ?? [], this.smooth.get(name) ?? []])];
  }

  private thin(): void {
    const half = <T>(list: T[]) => list.filter((_, k) => k % 2 === 1);
    this.steps = half(this.steps);
    for (const kept of [this.raw, this.smooth]) for (const [name, list] of kept) kept.set(name, half(list));
  }
}
