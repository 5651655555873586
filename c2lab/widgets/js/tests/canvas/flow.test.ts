import { describe, expect, it } from "vitest";
import { type BoxNode, edgesOf, nodesOf } from "../../src/canvas/flow";
import { box, facts, scene, wire } from "../boxes";

const NO_HEAT = new Map<string, number>();

describe("nodesOf", () => {
  it("names boxes for those who do not see them", () => {
    const [node] = nodesOf(scene([box("o0", { type: "Conv", name: "conv1" })]), facts(), NO_HEAT, []) as BoxNode[];
    expect(node?.ariaLabel).toBe("Conv conv1");
    expect(node?.domAttributes).toMatchObject({ "data-op": "Conv" });
  });

  it("puts data-op on operators and groups only", () => {
    const boxes = [box("i0", { kind: "input" }), box("c0", { kind: "comment" }), box("g0", { kind: "group" })];
    const nodes = nodesOf(scene(boxes), facts(), NO_HEAT, []) as BoxNode[];
    expect(nodes.map((node) => "data-op" in (node.domAttributes ?? {}))).toEqual([false, false, true]);
  });

  it("keeps what did not change, and what is chosen", () => {
    const first = nodesOf(scene([box("a"), box("b")]), facts(), NO_HEAT, []);
    const chosen = first.map((node) => (node.id === "b" ? { ...node, selected: true } : node));
    const second = nodesOf(scene([box("a"), box("b", { x: 50 })]), facts(), NO_HEAT, chosen);
    expect(second[0]).toBe(chosen[0]);
    expect(second[1]).toMatchObject({ position: { x: 50, y: 0 }, selected: true });
  });

  it("tells cause from consequence", () => {
    const told = facts({ problems: [{ node: "a", message: "too large", cause: true }], grey: ["b"] });
    const nodes = nodesOf(scene([box("a"), box("b")]), told, NO_HEAT, []);
    expect(nodes[0]?.className).toContain("c2b-wrong");
    expect(nodes[1]?.className).toContain("c2b-grey");
    expect(nodes[1]?.className).not.toContain("c2b-wrong");
  });
});

describe("edgesOf", () => {
  it("reads wires with their shapes aloud", () => {
    const [edge] = edgesOf(scene([box("a"), box("b")], [wire("a", "b")]), facts({ shapes: { "b.0": "(N,4)" } }), []);
    expect(edge?.ariaLabel).toBe("a (N,4) from Relu a to Relu b");
    expect(edge).toMatchObject({ sourceHandle: "out0", targetHandle: "in0" });
  });

  it("keeps wires that say the same", () => {
    const drawn = scene([box("a"), box("b")], [wire("a", "b")]);
    const first = edgesOf(drawn, facts(), []);
    expect(edgesOf(drawn, facts(), first)[0]).toBe(first[0]);
    expect(edgesOf(drawn, facts({ shapes: { "b.0": "(1)" } }), first)[0]).not.toBe(first[0]);
  });
});
