import type { Edge, Node } from "@xyflow/react";
import { MarkerType, Position } from "@xyflow/react";
import { type Box, boxLabel, type Facts, type Frame, type Scene, type Wire } from "../kernel/scene";
import { inputPorts, outputPorts } from "./ports";

/** What a box shows beside what the scene says. */
export interface BoxData extends Record<string, unknown> {
  box: Box;
  down: boolean;
  problem: string;
  missing: string;
  grey: boolean;
  outputs: string;
  /** From 0 to 1, or -1 where there is no cost to show. */
  heat: number;
  readonly: boolean;
}

export interface FrameData extends Record<string, unknown> {
  frame: Frame;
}

export interface WireData extends Record<string, unknown> {
  wire: Wire;
  shape: string;
}

export type BoxNode = Node<BoxData, "box">;
export type FrameNode = Node<FrameData, "frame">;
export type CanvasNode = BoxNode | FrameNode;
export type CanvasEdge = Edge<WireData, "wire">;

const PORT = 10;

/** The boxes of a scene for React Flow; what did not change is the same object as before. */
export function nodesOf(
  scene: Scene,
  facts: Facts,
  heat: ReadonlyMap<string, number>,
  before: readonly CanvasNode[],
): CanvasNode[] {
  const known = new Map(before.map((node) => [node.id, node]));
  const problems = new Map(facts.problems.map((problem) => [problem.node, problem.message]));
  const grey = new Set(facts.grey);
  const frames = scene.groups.map(
    (frame): FrameNode => ({
      id: `frame ${frame.path}`,
      type: "frame",
      position: { x: frame.x, y: frame.y },
      width: frame.w,
      height: frame.h,
      data: { frame },
      selectable: false,
      draggable: false,
      focusable: false,
      zIndex: -1,
    }),
  );
  const boxes = scene.nodes.map((box): BoxNode => {
    const data: BoxData = {
      box,
      down: scene.direction === "down",
      problem: problems.get(box.id) ?? "",
      missing: facts.incomplete[box.id] ?? (box.incomplete ? "An input is missing." : ""),
      grey: grey.has(box.id),
      outputs: (facts.outputs[box.id] ?? []).join(", "),
      heat: heat.get(box.id) ?? -1,
      readonly: scene.readonly,
    };
    const old = known.get(box.id) as BoxNode | undefined;
    const same = old && sameData(old.data, data);
    if (same && old.position.x === box.x && old.position.y === box.y) return old;
    return {
      ...(old?.selected ? { selected: true } : {}),
      id: box.id,
      type: "box",
      position: { x: box.x, y: box.y },
      width: box.w,
      height: box.h,
      measured: { width: box.w, height: box.h },
      handles: handlesOf(box, data.down),
      data: same ? old.data : data,
      draggable: !scene.readonly,
      connectable: !scene.readonly,
      ariaLabel: describe(data),
      ariaRole: box.kind === "comment" ? "note" : "group",
      domAttributes: domAttributes(box, data),
      className: classesOf(data),
    };
  });
  return [...frames, ...boxes];
}

function domAttributes(box: Box, data: BoxData): BoxNode["domAttributes"] {
  const named: Record<string, string> = { "data-kind": box.kind };
  if (box.kind === "operator" || box.kind === "group") named["data-op"] = box.type;
  if (box.name) named["data-name"] = box.name;
  if (data.missing) named["data-incomplete"] = "true";
  if (data.problem) named["data-problem"] = "true";
  if (box.pair) named["data-pair"] = box.pair;
  if (box.diff) named["data-diff"] = box.diff;
  return named as BoxNode["domAttributes"];
}

function sameData(a: BoxData, b: BoxData): boolean {
  const { box: one, ...rest } = a;
  const { box: other, ...others } = b;
  for (const key of Object.keys(others)) if (rest[key] !== others[key]) return false;
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** A box is read aloud by its name alone: what is wrong with it stands in the description. */
function describe({ box }: BoxData): string {
  return boxLabel(box);
}

function classesOf({ box, problem, grey, missing }: BoxData): string {
  const classes = ["c2b-node", `c2b-${box.kind}`];
  if (problem) classes.push("c2b-wrong");
  if (grey) classes.push("c2b-grey");
  if (missing) classes.push("c2b-incomplete");
  if (box.gradient) classes.push("c2b-gradient");
  if (box.update) classes.push("c2b-update");
  if (box.diff) classes.push(`c2b-diff-${box.diff}`);
  return classes.join(" ");
}

/** Where the ports stand, known beforehand: wires can be drawn to boxes that are out of sight. */
function handlesOf(box: Box, down: boolean): BoxNode["handles"] {
  const place = (at: number, far: boolean) =>
    down
      ? { x: at * box.w - PORT / 2, y: (far ? box.h : 0) - PORT / 2 }
      : { x: (far ? box.w : 0) - PORT / 2, y: at * box.h - PORT / 2 };
  return [
    ...inputPorts(box).map(({ id, at }) => ({
      id,
      type: "target" as const,
      position: down ? Position.Top : Position.Left,
      width: PORT,
      height: PORT,
      ...place(at, false),
    })),
    ...outputPorts(box).map(({ id, at }) => ({
      id,
      type: "source" as const,
      position: down ? Position.Bottom : Position.Right,
      width: PORT,
      height: PORT,
      ...place(at, true),
    })),
  ];
}

/** The wires of a scene for React Flow, with the shapes that are known. */
export function edgesOf(scene: Scene, facts: Facts, before: readonly CanvasEdge[]): CanvasEdge[] {
  const known = new Map(before.map((edge) => [edge.id, edge]));
  const labels = new Map(scene.nodes.map((box) => [box.id, boxLabel(box)]));
  return scene.edges.map((wire): CanvasEdge => {
    const shape = facts.shapes[wire.id] ?? "";
    const old = known.get(wire.id);
    if (old && old.data?.shape === shape && JSON.stringify(old.data.wire) === JSON.stringify(wire)) return old;
    const what = wire.count > 1 ? `${wire.count} blobs` : `${wire.blob} ${shape}`;
    return {
      ...(old?.selected ? { selected: true } : {}),
      id: wire.id,
      type: "wire",
      source: wire.source,
      sourceHandle: `out${wire.output}`,
      target: wire.target,
      targetHandle: `in${wire.input}`,
      data: { wire, shape },
      className: wire.gradient ? "c2b-wire-gradient" : "",
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "var(--c2b-line)" },
      ariaLabel: `${what.trim()} from ${labels.get(wire.source) ?? ""} to ${labels.get(wire.target) ?? ""}`,
      ariaRole: "img",
    };
  });
}
