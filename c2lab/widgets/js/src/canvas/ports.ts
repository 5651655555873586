import type { Box, InputSlot, Scene } from "../kernel/scene";

/** A place where a wire can begin or end. */
export interface Port {
  id: string;
  side: "input" | "output";
  index: number;
  /** What automation finds it by: the slot's name for an input, the blob for an output. */
  name: string;
  blob: string | null;
  optional: boolean;
  /** Where it stands along its side, from 0 to 1. */
  at: number;
}

/** Parameters are shown as pills, not as ports. */
function isPort(slot: InputSlot): boolean {
  return !slot.parameter;
}

/** The inputs of a box that have a port, in their order. */
export function inputPorts(box: Box): Port[] {
  if (box.kind === "group") return [port("input", 0, box.name, null, false, 0.5)];
  const shown = box.inputs.map((slot, index) => ({ slot, index })).filter(({ slot }) => isPort(slot));
  return shown.map(({ slot, index }, k) =>
    port("input", index, slot.slot, slot.blob, slot.optional, (k + 1) / (shown.length + 1)),
  );
}

/** The outputs of a box, in their order. */
export function outputPorts(box: Box): Port[] {
  if (box.kind === "group") return [port("output", 0, box.name, null, false, 0.5)];
  return box.outputs.map(({ blob }, index) =>
    port("output", index, blob, blob, false, (index + 1) / (box.outputs.length + 1)),
  );
}

function port(side: Port["side"], index: number, name: string, blob: string | null, optional: boolean, at: number) {
  return { id: `${side === "input" ? "in" : "out"}${index}`, side, index, name, blob, optional, at };
}

/** The index in the name of a port. */
export function portIndex(handle: string | null | undefined): number {
  return Number(/\d+$/.exec(handle ?? "")?.[0] ?? 0);
}

/** The first output of a box that nobody reads, else its first. */
export function freeOutput(scene: Scene, box: Box): number {
  const read = new Set(scene.edges.filter((wire) => wire.source === box.id).map((wire) => wire.output));
  const free = box.outputs.findIndex((_, index) => !read.has(index));
  return free < 0 ? 0 : free;
}

/** The input of a box that a new wire would go to: the first that needs one. */
export function freeInput(box: Box): number | null {
  const open = inputPorts(box).filter((candidate) => candidate.blob === null);
  const found = open.find((candidate) => !candidate.optional) ?? open[0];
  return found ? found.index : null;
}
