import type { ActionTable } from "./actions";
import { putOnClipboard } from "./files";
import type { Kernel } from "./kernel/kernel";

const KEPT = Symbol.for("c2lab.copied");
const kept = globalThis as { [KEPT]?: string };

/** Copies boxes as text, to the clipboard and for pages whose browser lets no one write there. */
export async function copyBoxes(kernel: Kernel, actions: ActionTable, nodes: readonly string[]): Promise<boolean> {
  try {
    const { text } = await kernel.request("copy", { nodes });
    kept[KEPT] = String(text);
    await putOnClipboard(String(text));
    actions.say(`Copied ${nodes.length}.`);
    return true;
  } catch (error) {
    actions.complain((error as Error).message);
    return false;
  }
}

/** What would be pasted: a net's text from the clipboard, else what was copied last on this page. */
export function pasteText(clipboard: string): string {
  return /\bop\s*[:{]/.test(clipboard) ? clipboard : (kept[KEPT] ?? clipboard);
}
