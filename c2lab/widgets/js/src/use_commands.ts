import { type Dispatch, type RefObject, type SetStateAction, useCallback } from "react";
import type { ActionTable } from "./actions";
import type { ViewActions } from "./canvas/use_view";
import { base64Of } from "./files";
import type { Box, Entry, Scene } from "./kernel/scene";
import type { Item } from "./Menu";
import type { WantedForm } from "./panels/Inspector";
import { type Drop, usePaletteDrag } from "./use_palette_drag";

export interface Offer {
  label: string;
  items: Item[];
  x: number;
  y: number;
  searched: boolean;
}

interface Wanted {
  scene: Scene;
  box: Box | undefined;
  actions: ActionTable;
  view: ViewActions;
  root: RefObject<HTMLElement | null>;
  searchBox: RefObject<HTMLInputElement | null>;
  searchAt: RefObject<{ x: number; y: number } | null>;
  latest: RefObject<Scene>;
  fitted: RefObject<boolean>;
  toShow: RefObject<{ ids: string[]; focus: boolean } | null>;
  wantsForm: RefObject<WantedForm | null>;
  setListed: Dispatch<SetStateAction<boolean>>;
  setOffer: Dispatch<SetStateAction<Offer | null>>;
  setBusy: Dispatch<SetStateAction<string>>;
  setRuns: Dispatch<SetStateAction<number>>;
}

/** What the toolbar, the palette and drops do. */
export function useCommands(wanted: Wanted) {
  const { scene, box, actions, view, root, searchBox, searchAt, latest, fitted, toShow, wantsForm } = wanted;
  const { setListed, setOffer, setBusy, setRuns } = wanted;
  const { say, choose, focusCanvas } = actions;
  const openSearch = useCallback(() => {
    // At once where it can be: the next key belongs to the search.
    if (searchBox.current) searchBox.current.focus({ preventScroll: true });
    else {
      setListed(true);
      requestAnimationFrame(() => searchBox.current?.focus({ preventScroll: true }));
    }
  }, [searchBox, setListed]);

  const place = useCallback(
    (entry: Entry) => {
      const from = box && (box.kind === "operator" || (box.kind === "input" && entry.kind !== "input")) ? box : null;
      const at = searchAt.current;
      searchAt.current = null;
      // The search lets go of the keys at once; the form takes them when it is there.
      root.current?.focus({ preventScroll: true });
      actions.add(entry, {
        ...(from && entry.kind !== "input" ? { from: { node: from.id } } : {}),
        ...(at ?? {}),
      });
    },
    [actions, box, root, searchAt],
  );

  const dropped = ({ entry, x, y, splice, onto }: Drop) => {
    const target = onto ? scene.nodes.find(({ id }) => id === onto) : undefined;
    const from = target && (target.kind === "operator" || target.kind === "input") ? { node: target.id } : null;
    if (splice && entry.kind !== "input") actions.add(entry, { splice });
    else if (from && entry.kind !== "input") actions.add(entry, { from });
    else actions.add(entry, { x, y });
  };
  const drag = usePaletteDrag(dropped);

  const open = async (file: File) => {
    const reply = await actions.send("open", { filename: file.name, base64: await base64Of(file) });
    if (reply) fitted.current = false;
    focusCanvas();
  };

  const offerReaders = async (from: Box, output: number, client: { x: number; y: number }) => {
    const reply = await actions.send("accepting", { node: from.id, output });
    const types = (reply?.types ?? []) as { type: string; kind: Entry["kind"] }[];
    const at = placeOnRoot(root.current, client.x, client.y);
    setOffer({
      ...at,
      label: `What can read ${from.outputs[output]?.blob ?? from.name}`,
      searched: true,
      items: types.map(({ type, kind }) => ({
        key: `${kind} ${type}`,
        label: type,
        hint: kind === "operator" ? undefined : kind,
        pick: () => actions.add({ type, kind }, { from: { node: from.id, output } }),
      })),
    });
  };

  const command = async (name: "undo" | "redo" | "layout" | "gradients" | "no gradients" | "run") => {
    if (name === "run") {
      setBusy("run");
      const reply = await actions.send("run");
      setBusy("");
      if (reply) {
        say(`Ran in ${Number(reply.ms ?? 0).toFixed(1)} ms. Choose a wire to see its values.`);
        setRuns((count) => count + 1);
      }
    } else if (name === "gradients" || name === "no gradients") {
      const reply = await actions.send(name === "gradients" ? "add_gradients" : "remove_gradients");
      if (reply) requestAnimationFrame(() => requestAnimationFrame(() => refit(0.4)));
    } else {
      const reply = await actions.send(name);
      if (reply && name === "layout") requestAnimationFrame(() => requestAnimationFrame(() => refit(0.4)));
    }
  };
  const refit = (least: number) => view.fit(latest.current.nodes, least);

  const comment = async () => {
    if (scene.readonly) return;
    const at = view.centre();
    const reply = await actions.send("comment", { text: "A comment", ...at });
    const id = (reply?.placed as string[] | undefined)?.[0];
    if (id) {
      toShow.current = { ids: [id], focus: false };
      wantsForm.current = { node: id, any: true };
      choose([id]);
    }
  };
  return { openSearch, place, drag, open, offerReaders, command, comment };
}

function placeOnRoot(root: HTMLElement | null, x: number, y: number): { x: number; y: number } {
  const frame = root?.getBoundingClientRect();
  if (!frame) return { x: 0, y: 0 };
  return {
    x: Math.max(4, Math.min(x - frame.left, frame.width - 240)),
    y: Math.max(4, Math.min(y - frame.top, frame.height - 200)),
  };
}

export function below(root: HTMLElement | null, button: HTMLElement): { x: number; y: number } {
  const frame = button.getBoundingClientRect();
  return placeOnRoot(root, frame.left, frame.bottom + 2);
}
