import { type KeyboardEvent, type RefObject, useCallback, useState } from "react";
import type { ActionTable } from "./actions";
import { type Direction, neighbour } from "./canvas/neighbours";
import { freeInput, freeOutput, inputPorts } from "./canvas/ports";
import type { ViewActions } from "./canvas/use_view";
import { copyBoxes } from "./clipboard";
import type { Kernel } from "./kernel/kernel";
import { type Box, boxLabel, type Scene } from "./kernel/scene";
import { actionOf, isTyping } from "./keys";
import type { WantedForm } from "./panels/Inspector";
import type { Tool } from "./Toolbar";

interface Connecting {
  source: Box;
  output: number;
  target: Box | null;
  input: number | null;
}

interface Wanted {
  kernel: Kernel;
  scene: Scene;
  actions: ActionTable;
  view: ViewActions;
  chosen: readonly string[];
  chosenWire: string | null;
  root: RefObject<HTMLElement | null>;
  wantsForm: RefObject<WantedForm | null>;
  onForm: () => void;
  onSearch: () => void;
  onTool: (tool: Tool) => void;
  onComment: () => void;
  onEscape: () => void;
}

/** Everything that can be done by keyboard alone. */
export function useKeys(wanted: Wanted) {
  const [connecting, setConnecting] = useState<Connecting | null>(null);
  const { kernel, scene, actions, view, chosen, chosenWire, root } = wanted;

  const focused = useCallback((): Box | undefined => {
    const at = document.activeElement?.closest<HTMLElement>(".react-flow__node")?.dataset.id ?? chosen.at(-1);
    return scene.nodes.find((box) => box.id === at);
  }, [scene, chosen]);

  const aim = async (plan: Connecting) => {
    setConnecting(plan);
    if (!plan.target) return;
    const to = `${boxLabel(plan.target)}`;
    if (plan.input === null) {
      actions.say(`${to} has no input that is free.`);
      return;
    }
    const slot = plan.target.inputs[plan.input]?.slot ?? "";
    try {
      const { shape } = await kernel.request("would_connect", {
        source: plan.source.id,
        output: plan.output,
        target: plan.target.id,
        input: plan.input,
      });
      actions.say(`To ${slot} of ${to}${shape ? `: gives ${shape}` : ""}. Enter connects.`);
    } catch (error) {
      actions.say(`Not to ${slot} of ${to}: ${(error as Error).message}`);
    }
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (isTyping(event.target)) return;
    const action = actionOf(event);
    const onButton = event.target instanceof HTMLElement && event.target.closest("button, a, summary, [role=menuitem]");
    if (!action || (onButton && (action === "form" || action === "toggle" || action === "go" || action === "next")))
      return;
    if (action === "next" && !connecting) return;
    const box = focused();
    const list = [...chosen];
    switch (action) {
      case "search":
        wanted.onSearch();
        break;
      case "find":
      case "help":
        wanted.onTool(action);
        break;
      case "undo":
      case "redo":
        actions.send(action);
        break;
      case "copy":
      case "cut":
        // Where text is selected, copying means the text.
        if (list.length === 0 || String(document.getSelection() ?? "")) return;
        copyBoxes(kernel, actions, list).then((done) => {
          if (done && action === "cut") actions.send("remove", { nodes: list, edges: [], heal: false });
        });
        break;
      case "duplicate":
        if (list.length > 0) {
          actions.send("duplicate", { nodes: list }).then((reply) => {
            if (reply) actions.choose(reply.placed as string[]);
          });
        }
        break;
      case "all":
        actions.choose(scene.nodes.map((each) => each.id));
        break;
      case "remove":
      case "heal":
        if (list.length === 0 && !chosenWire) return;
        actions.send("remove", {
          nodes: list,
          edges: list.length === 0 && chosenWire ? [chosenWire] : [],
          heal: action === "heal",
        });
        root.current?.focus({ preventScroll: true });
        break;
      case "connect": {
        if (!box || scene.readonly || box.outputs.length === 0) return;
        setConnecting({ source: box, output: freeOutput(scene, box), target: null, input: null });
        actions.say(`Connecting ${boxLabel(box)}: go to another box with the arrow keys.`);
        break;
      }
      case "next":
        if (connecting?.target) {
          const ports = inputPorts(connecting.target);
          const at = ports.findIndex((port) => port.index === connecting.input);
          const step = event.shiftKey ? -1 : 1;
          const next = ports[(at + step + ports.length) % Math.max(ports.length, 1)];
          aim({ ...connecting, input: next?.index ?? null });
        }
        break;
      case "form":
        if (connecting) {
          const { source, output, target, input } = connecting;
          setConnecting(null);
          if (target && input !== null)
            actions.send("connect", { source: source.id, output, target: target.id, input });
        } else if (box?.kind === "group" && box.path) actions.collapse(box.path, false);
        else if (box) {
          wanted.wantsForm.current = { node: box.id, any: true };
          actions.choose([box.id]);
          wanted.onForm();
        } else return;
        break;
      case "toggle":
        if (!box) return;
        actions.choose(list.includes(box.id) ? list.filter((id) => id !== box.id) : [...list, box.id]);
        break;
      case "wires": {
        const at = box?.id;
        const own = scene.edges.filter((wire) => wire.source === at || wire.target === at);
        const now = own.findIndex((wire) => wire.id === chosenWire);
        const next = own[(now + 1) % Math.max(own.length, 1)];
        if (next) {
          actions.choose([], next.id);
          actions.say(`Wire ${next.blob}`);
        } else actions.say("No wires here.");
        break;
      }
      case "comment":
        wanted.onComment();
        break;
      case "fit":
        view.fit(scene.nodes);
        break;
      case "closer":
        view.zoomBy(1.25);
        break;
      case "farther":
        view.zoomBy(0.8);
        break;
      case "move": {
        const movers = list.length > 0 ? list : box ? [box.id] : [];
        if (movers.length === 0 || scene.readonly) return;
        const step = event.shiftKey ? 1 : 12;
        const dx = event.key === "ArrowLeft" ? -step : event.key === "ArrowRight" ? step : 0;
        const dy = event.key === "ArrowUp" ? -step : event.key === "ArrowDown" ? step : 0;
        const positions = Object.fromEntries(
          scene.nodes.filter((each) => movers.includes(each.id)).map((each) => [each.id, [each.x + dx, each.y + dy]]),
        );
        actions.send("move", { positions });
        break;
      }
      case "go": {
        const start = connecting?.target ?? box;
        const to = start ? neighbour(scene.nodes, start.id, event.key as Direction) : scene.nodes[0]?.id;
        if (to) {
          const target = scene.nodes.find((each) => each.id === to);
          if (event.shiftKey && !connecting) actions.choose([...new Set([...list, to])]);
          else actions.reveal(to);
          if (connecting && target) aim({ ...connecting, target, input: freeInput(target) });
        }
        break;
      }
      case "escape":
        if (connecting) {
          setConnecting(null);
          actions.say("Not connected.");
        } else wanted.onEscape();
        break;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return { onKeyDown, connecting };
}
