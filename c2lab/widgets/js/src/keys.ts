/** What a key means on the canvas, by name; `null` where it means nothing. */
export type KeyAction =
  | "search"
  | "find"
  | "undo"
  | "redo"
  | "copy"
  | "cut"
  | "duplicate"
  | "all"
  | "remove"
  | "heal"
  | "connect"
  | "wires"
  | "comment"
  | "form"
  | "toggle"
  | "help"
  | "fit"
  | "closer"
  | "farther"
  | "move"
  | "go"
  | "next"
  | "escape";

interface Pressed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

const PLAIN: Record<string, KeyAction> = {
  "/": "search",
  c: "connect",
  w: "wires",
  m: "comment",
  "?": "help",
  "0": "fit",
  f: "fit",
  "+": "closer",
  "=": "closer",
  "-": "farther",
  Enter: "form",
  " ": "toggle",
  Escape: "escape",
  Tab: "next",
};

const WITH_CONTROL: Record<string, KeyAction> = {
  f: "find",
  y: "redo",
  c: "copy",
  x: "cut",
  d: "duplicate",
  a: "all",
};

/** The meaning of a key. */
export function actionOf(event: Pressed): KeyAction | null {
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (control) {
    if (key === "z") return event.shiftKey ? "redo" : "undo";
    return event.altKey ? null : (WITH_CONTROL[key] ?? null);
  }
  if (key.startsWith("Arrow")) return event.altKey ? "move" : "go";
  if (event.altKey) return null;
  if (key === "Delete" || key === "Backspace") return event.shiftKey ? "heal" : "remove";
  return PLAIN[key] ?? null;
}

/** Whether keys pressed in an element are text. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
