import { describe, expect, it } from "vitest";
import { freeInput, freeOutput, inputPorts, outputPorts, portIndex } from "../../src/canvas/ports";
import { box, scene, wire } from "../boxes";

const slot = (name: string, blob: string | null, more: object = {}) => ({
  slot: name,
  blob,
  optional: false,
  variadic: false,
  parameter: false,
  ...more,
});

const conv = box("o0", {
  inputs: [slot("X", "data"), slot("filter", "w", { parameter: true }), slot("mask", null, { optional: true })],
  outputs: [
    { slot: "Y", blob: "y" },
    { slot: "Z", blob: "z" },
  ],
});

describe("ports", () => {
  it("leaves parameters out but keeps the places of slots", () => {
    expect(inputPorts(conv).map(({ id, name, at }) => [id, name, at])).toEqual([
      ["in0", "X", 1 / 3],
      ["in2", "mask", 2 / 3],
    ]);
  });

  it("names outputs by their blobs", () => {
    expect(outputPorts(conv).map(({ id, name }) => [id, name])).toEqual([
      ["out0", "y"],
      ["out1", "z"],
    ]);
    expect(portIndex("out1")).toBe(1);
    expect(portIndex(null)).toBe(0);
  });

  it("wires to what is free first", () => {
    const reader = box("o1", { inputs: [slot("A", null, { optional: true }), slot("B", null)] });
    expect(freeInput(reader)).toBe(1);
    expect(freeInput(conv)).toBe(2);
    expect(freeInput(box("o2", { inputs: [slot("X", "x")] }))).toBeNull();
    expect(freeOutput(scene([conv, reader], [wire("o0", "o1")]), conv)).toBe(1);
  });
});
