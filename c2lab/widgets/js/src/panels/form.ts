/** One field of a form, as the kernel describes it. */
export interface Field {
  name: string;
  kind: string;
  value: unknown;
  text?: string;
  default: unknown;
  given: boolean;
  choices: unknown[];
  minimum: number | null;
  doc: string;
  required: boolean;
  technical?: boolean;
  parameter?: boolean;
}

export interface Form {
  type: string;
  name: string;
  fields: Field[];
  doc: string;
  device: string;
  scope: string;
  source?: string;
  gradient?: string;
  inputs?: { slot: string; blob: string | null; doc?: string; parameter?: boolean; optional?: boolean }[];
  outputs?: { slot: string; blob: string; doc?: string }[];
}

const NUMBERS = new Set(["int", "float", "ints", "floats", "shape"]);

/** Whether only numbers can stand in a field, so that `/` cannot be meant for it. */
export function isNumeric(field: Field): boolean {
  return NUMBERS.has(field.kind) && field.kind !== "shape";
}

/** A value as it stands in a field. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return String(value);
}

/** What a field that nothing was written into says it is. */
export function placeholder(field: Field): string {
  if (field.default !== null && field.default !== undefined && shown(field.default) !== "") return shown(field.default);
  return field.required ? "needed" : "";
}

/** What is sent for a text in a field; `null` takes the argument away. Refuses what cannot be meant. */
export function meant(field: Field, text: string): { value: unknown } | { error: string } {
  const trimmed = text.trim();
  if (trimmed === "" && field.kind !== "str") return { value: null };
  switch (field.kind) {
    case "int":
      if (!/^[+-]?\d+$/.test(trimmed)) return { error: `${field.name} must be a whole number` };
      return bounded(field, Number(trimmed), trimmed);
    case "float":
      if (!/^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|nan)$/i.test(trimmed)) {
        return { error: `${field.name} must be a number` };
      }
      return bounded(field, Number(trimmed), trimmed);
    default:
      return { value: text };
  }
}

function bounded(field: Field, value: number, text: string): { value: unknown } | { error: string } {
  if (field.minimum !== null && value < field.minimum) {
    return { error: `${field.name} is ${text}; it must be at least ${field.minimum}` };
  }
  // What a double cannot hold goes as text: the kernel reads it exactly.
  return {
    value: Number.isSafeInteger(value) || field.kind === "float" ? (Number.isFinite(value) ? value : text) : text,
  };
}
