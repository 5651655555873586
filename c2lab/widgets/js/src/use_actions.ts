import { type Dispatch, type RefObject, type SetStateAction, useCallback, useMemo } from "react";
import type { ActionTable } from "./actions";
import type { ViewActions } from "./canvas/use_view";
import type { Kernel, Reply } from "./kernel/kernel";
import type { Scene } from "./kernel/scene";
import type { WantedForm } from "./panels/Inspector";

interface Wanted {
  kernel: Kernel;
  view: ViewActions;
  latest: RefObject<Scene>;
  toShow: RefObject<{ ids: string[]; focus: boolean } | null>;
  wantsForm: RefObject<WantedForm | null>;
  choose: ActionTable["choose"];
  focusCanvas: () => void;
  setComplaint: Dispatch<SetStateAction<string>>;
  setSaid: Dispatch<SetStateAction<string>>;
}

/** What every part of the canvas can do. */
export function useActions(wanted: Wanted): ActionTable {
  const { kernel, view, latest, toShow, wantsForm, choose, focusCanvas, setComplaint, setSaid } = wanted;
  const complain = useCallback((text: string) => setComplaint(text), [setComplaint]);
  const say = useCallback((text: string) => setSaid(text), [setSaid]);

  return useMemo<ActionTable>(() => {
    const send = async (command: string, content: Reply = {}) => {
      try {
        const reply = await kernel.request(command, content);
        setComplaint("");
        if (command === "connect") {
          // The layout may have moved what was wired.
          requestAnimationFrame(() => view.show(latest.current.nodes.filter(({ id }) => id === content.target)));
        }
        if (command === "undo" || command === "redo") setSaid(`${command}: ${reply.label ?? ""}`);
        return reply;
      } catch (error) {
        setComplaint((error as Error).message);
        return null;
      }
    };
    return {
      send,
      say,
      complain,
      choose,
      focusCanvas,
      async add(entry, more = {}) {
        const reply = await send("add", { type: entry.type, kind: entry.kind, ...more });
        const placed = (reply?.placed ?? []) as string[];
        if (placed.length > 0) {
          toShow.current = { ids: placed, focus: true };
          const next = entry.kind === "input" ? placed[0] : placed.at(-1);
          if (next) {
            wantsForm.current = entry.kind === "input" ? null : { node: next, any: false };
            choose([next]);
          }
        } else focusCanvas();
        return placed;
      },
      collapse(path, collapsed) {
        send("collapse", { path, collapsed });
      },
      reveal(node) {
        toShow.current = { ids: [node], focus: true };
        choose([node]);
      },
    };
  }, [kernel, view, latest, toShow, wantsForm, say, complain, choose, focusCanvas, setComplaint, setSaid]);
}
