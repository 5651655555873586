import type { Box, Facts, Scene, Wire } from "../src/kernel/scene";
import { factsOf, sceneOf } from "../src/kernel/scene";

/** A box, with what a test says of it. */
export function box(id: string, told: Partial<Box> = {}): Box {
  return {
    id,
    kind: "operator",
    type: "Relu",
    name: id,
    family: "activations",
    x: 0,
    y: 0,
    w: 100,
    h: 40,
    inputs: [],
    outputs: [{ slot: "Y", blob: id }],
    arguments: [],
    line: "",
    pills: [],
    scope: "",
    device: "",
    gradient: false,
    update: false,
    pair: null,
    incomplete: false,
    unknown: false,
    diff: null,
    text: "",
    members: 1,
    collapsed: false,
    ...told,
  };
}

export function wire(source: string, target: string, told: Partial<Wire> = {}): Wire {
  return {
    id: `${target}.0`,
    source,
    output: 0,
    target,
    input: 0,
    blob: source,
    version: 0,
    count: 1,
    gradient: false,
    ...told,
  };
}

export function scene(nodes: Box[], edges: Wire[] = []): Scene {
  return sceneOf({ version: 1, readonly: false, nodes, edges });
}

export function facts(told: Partial<Facts> = {}): Facts {
  return factsOf({ version: 1, ...told });
}
