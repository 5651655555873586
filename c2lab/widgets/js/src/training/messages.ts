import type { State } from "./widgets";

/** Columns of numbers: steps, then each name, in the first buffer. */
interface Columns {
  names: string[];
  count: number;
}

/** What a pinned blob held at a step: counts in the first buffer, pictures in the second. */
export interface PinMessage {
  kind: "pin";
  blob: string;
  problem?: string;
  step: number;
  low: number;
  high: number;
  norm: number;
  dims: number[];
  shape: number[];
}

/** How a classifier did: the pictures of its worst mistakes in the first buffer. */
export interface EvaluationMessage {
  kind: "evaluation";
  confusion: number[][];
  /** Sample, true class, guess, probability of the truth. */
  worst: [number, number, number, number][];
  shape: number[];
}

/** What the kernel tells the panel. */
export type Message =
  | ({ kind: "rows"; first: boolean } & Columns)
  | { kind: "tests"; tests: Record<string, [number, number][]> }
  | { kind: "markers"; markers: [number, string][] }
  | ({ kind: "state" } & State)
  | ({ kind: "overlay"; run: string } & Columns)
  | { kind: "known"; blobs: string[]; runs: string[] }
  | PinMessage
  | EvaluationMessage
  | { kind: "csv"; name: string }
  | { kind: "told" | "problem"; text: string };
