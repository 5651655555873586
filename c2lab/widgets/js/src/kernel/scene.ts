/** What the kernel draws: boxes with their places, and the wires between them. */

export interface InputSlot {
  slot: string;
  blob: string | null;
  optional: boolean;
  variadic: boolean;
  parameter: boolean;
}

export interface OutputSlot {
  slot: string;
  blob: string;
}

export type BoxKind = "operator" | "input" | "group" | "comment";

export interface Box {
  id: string;
  kind: BoxKind;
  type: string;
  name: string;
  family: string;
  x: number;
  y: number;
  w: number;
  h: number;
  inputs: InputSlot[];
  outputs: OutputSlot[];
  arguments: [string, string][];
  line: string;
  pills: { blob: string; text: string }[];
  scope: string;
  device: string;
  gradient: boolean;
  update: boolean;
  pair: string | null;
  incomplete: boolean;
  unknown: boolean;
  diff: "added" | "removed" | "changed" | null;
  text: string;
  members: number;
  collapsed: boolean;
  repeats?: number;
  path?: string;
}

export interface Wire {
  id: string;
  source: string;
  output: number;
  target: string;
  input: number;
  blob: string;
  version: number;
  count: number;
  gradient: boolean;
}

export interface Frame {
  path: string;
  label: string;
  x: number;
  y: number;
  w: number;
  h: number;
  collapsed: boolean;
  members: string[];
  clear: boolean;
}

export interface Scene {
  version: number;
  readonly: boolean;
  name: string;
  direction: "right" | "down";
  nodes: Box[];
  edges: Wire[];
  groups: Frame[];
  external_inputs: string[];
  external_outputs: string[];
  operators: number;
  parameters: number;
  undo: string | null;
  redo: string | null;
}

export interface Problem {
  node: string;
  message: string;
  cause: boolean;
}

/** What follows from a scene once shapes are known; it comes after the first paint. */
export interface Facts {
  version: number;
  shapes: Record<string, string>;
  outputs: Record<string, string[]>;
  problems: Problem[];
  incomplete: Record<string, string>;
  grey: string[];
  totals: { operators?: number; parameters?: number; text?: string };
}

export interface Entry {
  type: string;
  kind: "operator" | "layer" | "block" | "template" | "input";
  family: string;
  summary: string;
  words: string;
  gradient: boolean;
}

const NO_SCENE: Scene = {
  version: -1,
  readonly: true,
  name: "",
  direction: "right",
  nodes: [],
  edges: [],
  groups: [],
  external_inputs: [],
  external_outputs: [],
  operators: 0,
  parameters: 0,
  undo: null,
  redo: null,
};

const NO_FACTS: Facts = {
  version: -1,
  shapes: {},
  outputs: {},
  problems: [],
  incomplete: {},
  grey: [],
  totals: {},
};

/** A scene, whatever the kernel sent. */
export function sceneOf(value: unknown): Scene {
  return { ...NO_SCENE, ...(value as Partial<Scene> | null) };
}

/** The facts that belong to a scene; older ones keep what they knew of boxes that are still there. */
export function factsOf(value: unknown): Facts {
  return { ...NO_FACTS, ...(value as Partial<Facts> | null) };
}

/** The name by which a box is read aloud. */
export function boxLabel(box: Box): string {
  if (box.kind === "input") return `Input ${box.name}`;
  if (box.kind === "comment") return `Comment ${box.text.slice(0, 80)}`;
  return `${box.type} ${box.name}`.trim();
}
