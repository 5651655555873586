import { describe, expect, it } from "vitest";
import { type CostRow, heatOf, sorted } from "../../src/panels/cost";
import { Curves } from "../../src/panels/curves";
import { type Field, meant, shown } from "../../src/panels/form";
import { amount, brief } from "../../src/panels/numbers";

const field = (kind: string, more: Partial<Field> = {}): Field => ({
  name: "kernel",
  kind,
  value: null,
  default: null,
  given: false,
  choices: [],
  minimum: null,
  doc: "",
  required: false,
  ...more,
});

describe("fields", () => {
  it("mean what was typed", () => {
    expect(meant(field("int"), " 7 ")).toEqual({ value: 7 });
    expect(meant(field("float"), "1e-3")).toEqual({ value: 0.001 });
    expect(meant(field("ints"), "1, 2")).toEqual({ value: "1, 2" });
    expect(meant(field("int"), "")).toEqual({ value: null });
    expect(meant(field("str"), "")).toEqual({ value: "" });
  });

  it("keep whole numbers whole beyond what a double holds", () => {
    expect(meant(field("int"), "9007199254740993")).toEqual({ value: "9007199254740993" });
  });

  it("refuse with the reason", () => {
    expect(meant(field("int"), "7x")).toEqual({ error: "kernel must be a whole number" });
    expect(meant(field("int", { minimum: 1 }), "0")).toEqual({ error: "kernel is 0; it must be at least 1" });
    expect(meant(field("float"), "one")).toEqual({ error: "kernel must be a number" });
  });

  it("show lists", () => {
    expect(shown([1, 2])).toBe("1, 2");
    expect(shown(null)).toBe("");
  });
});

describe("costs", () => {
  const row = (node: string, flops: number | null): CostRow => ({
    node,
    name: node,
    type: "Relu",
    flops,
    bytes: 1,
    parameters: 0,
    activations: 0,
  });
  const rows = [row("a", 4), row("b", null), row("c", 16)];

  it("are sorted, the unknown last", () => {
    expect(sorted(rows, "flops", true).map(({ node }) => node)).toEqual(["c", "a", "b"]);
    expect(sorted(rows, "flops", false).map(({ node }) => node)).toEqual(["a", "c", "b"]);
  });

  it("warm boxes by their share of the dearest", () => {
    expect([...heatOf(rows, "flops")]).toEqual([
      ["a", 0.5],
      ["b", 0],
      ["c", 1],
    ]);
    expect(heatOf(rows, "parameters").size).toBe(0);
  });

  it("are told in three digits", () => {
    expect(amount(1234567)).toBe("1.23 M");
    expect(amount(12)).toBe("12 ");
    expect(amount(null)).toBe("–");
    expect(brief(0.00001)).toBe("1.00e-5");
    expect(brief(Number.NaN)).toBe("NaN");
  });
});

describe("curves", () => {
  it("are smoothed, and stay finite", () => {
    const curves = new Curves();
    expect(curves.add(0, { loss: 2 })).toBe(true);
    expect(curves.add(1, { loss: 1 })).toBe(false);
    curves.add(2, { loss: Number.NaN });
    const [steps, raw, smooth] = curves.data();
    expect(steps).toEqual([0, 1, 2]);
    expect(raw).toEqual([2, 1, null]);
    expect(smooth?.[1]).toBeCloseTo(1.9);
    expect(smooth?.[2]).toBeCloseTo(1.9);
  });

  it("are thinned, not cut", () => {
    const curves = new Curves();
    for (let step = 0; step < 9000; step++) curves.add(step, { loss: step });
    const [steps] = curves.data();
    expect(steps.length).toBeLessThanOrEqual(4000);
    expect(steps.at(-1)).toBe(8999);
    expect(steps[0]).toBeLessThan(10);
  });
});
