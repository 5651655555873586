/** Numbers of one run as they arrive: columns that grow, and cuts of them that fit on a screen. */

export interface Cut {
  steps: number[];
  values: (number | null)[];
}

export class Column {
  private held = new Float64Array(1024);
  length = 0;

  push(values: Float64Array): void {
    const wanted = this.length + values.length;
    if (wanted > this.held.length) {
      const larger = new Float64Array(Math.max(wanted, this.held.length * 2));
      larger.set(this.held.subarray(0, this.length));
      this.held = larger;
    }
    this.held.set(values, this.length);
    this.length = wanted;
  }

  clear(): void {
    this.length = 0;
  }

  at(index: number): number {
    return this.held[index] ?? NaN;
  }

  last(): number {
    return this.held[this.length - 1] ?? NaN;
  }

  /** The first index whose value is not below `wanted`; the column must grow. */
  find(wanted: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class Series {
  readonly steps = new Column();
  readonly columns = new Map<string, Column>();

  constructor(readonly name: string) {}

  /** Takes in the columns of a message: first the steps, then each name. */
  add(names: string[], count: number, content: DataView, first: boolean): void {
    const numbers = new Float64Array(content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength));
    if (first) {
      this.steps.clear();
      for (const column of this.columns.values()) column.clear();
    }
    this.steps.push(numbers.subarray(0, count));
    names.forEach((name, position) => {
      const column = this.columns.get(name) ?? new Column();
      this.columns.set(name, column);
      column.push(numbers.subarray((position + 1) * count, (position + 2) * count));
    });
  }

  /**
   * What is to be drawn from step `from` to step `to`: where there are more points than `most`, the least and
   * the greatest of each stretch, so that no peak is lost.
   */
  cut(name: string, from: number, to: number, most: number): Cut {
    const column = this.columns.get(name);
    const found: Cut = { steps: [], values: [] };
    if (!column) return found;
    const start = Math.max(0, this.steps.find(from) - 1);
    const stop = Math.min(column.length, this.steps.find(to) + 2);
    const stretch = Math.max(1, Math.floor((stop - start) / most));
    const add = (index: number) => {
      const value = column.at(index);
      found.steps.push(this.steps.at(index));
      found.values.push(Number.isFinite(value) ? value : null);
    };
    for (let begin = start; begin < stop; begin += stretch) {
      const end = Math.min(stop, begin + stretch);
      if (end - begin < 3) {
        for (let index = begin; index < end; index++) add(index);
        continue;
      }
      let low = begin;
      let high = begin;
      for (let index = begin; index < end; index++) {
        if (column.at(index) < column.at(low)) low = index;
        if (column.at(index) > column.at(high)) high = index;
      }
      add(Math.min(low, high));
      if (low !== high) add(Math.max(low, high));
    }
    return found;
  }
}

/** A running average that forgets by `amount` a point, without a bias at its beginning. */
export function smoothed(values: (number | null)[], amount: number): (number | null)[] {
  let total = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    total = amount * total + (1 - amount) * value;
    weight = amount * weight + (1 - amount);
    return total / weight;
  });
}
