import { createContext } from "react";
import type { Reply } from "./kernel/kernel";
import type { Entry } from "./kernel/scene";

/** What parts of the canvas can do to the net and to the view. */
export interface ActionTable {
  /** Sends a command; a refusal is shown, and gives `null`. */
  send(command: string, content?: Reply): Promise<Reply | null>;
  add(entry: Pick<Entry, "type" | "kind">, more?: Reply): Promise<string[]>;
  collapse(path: string, collapsed: boolean): void;
  choose(nodes: readonly string[], edge?: string | null): void;
  /** Brings a box into view, chooses it and gives it the focus. */
  reveal(node: string): void;
  say(text: string): void;
  complain(text: string): void;
  focusCanvas(): void;
}

export const Actions = createContext<ActionTable>({
  send: async () => null,
  add: async () => [],
  collapse: () => {},
  choose: () => {},
  reveal: () => {},
  say: () => {},
  complain: () => {},
  focusCanvas: () => {},
});
