import { type PointerEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Actions } from "./actions";
import { Canvas } from "./canvas/Canvas";
import { type CanvasEdge, type CanvasNode, edgesOf, nodesOf } from "./canvas/flow";
import { useView } from "./canvas/use_view";
import { pasteText } from "./clipboard";
import { Drawer } from "./Drawer";
import { exportItems } from "./exporting";
import type { Kernel } from "./kernel/kernel";
import { boxLabel, type Entry, factsOf, sceneOf } from "./kernel/scene";
import { useValue } from "./kernel/use_value";
import { isTyping } from "./keys";
import { Menu } from "./Menu";
import { insertCell } from "./notebook";
import { Palette } from "./palette/Palette";
import { type Column, type CostRow, heatOf } from "./panels/cost";
import { Curves } from "./panels/curves";
import { Inspector, type WantedForm } from "./panels/Inspector";
import { Problems } from "./panels/Problems";
import { WirePanel } from "./panels/WirePanel";
import { Starters } from "./Starters";
import { type Tool, Toolbar } from "./Toolbar";
import { useActions } from "./use_actions";
import { below, type Offer, useCommands } from "./use_commands";
import { useFocus } from "./use_focus";
import { useFull } from "./use_full";
import { useHeight } from "./use_height";
import { useKeys } from "./use_keys";
import { usePalette } from "./use_palette";

const EASY_ZOOM = 0.8;
const ALIGNMENTS = ["left", "centre", "right", "top", "middle", "bottom"];
const TOLD_FOR = 9000;
const SETTLING = 1500;

/** The whole widget. */
export function App({ kernel, el }: { kernel: Kernel; el: HTMLElement }) {
  const scene = useValue(kernel, "scene", sceneOf);
  const facts = useValue(kernel, "facts", factsOf);
  const entries = usePalette(kernel, scene.readonly);
  const view = useView();
  const root = useRef<HTMLDivElement>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  const wantsForm = useRef<WantedForm | null>(null);
  const searchAt = useRef<{ x: number; y: number } | null>(null);
  const toShow = useRef<{ ids: string[]; focus: boolean } | null>(null);
  const latest = useRef(scene);
  latest.current = scene;
  const lastShown = useRef<{ ids: string[]; at: number }>({ ids: [], at: 0 });
  const fitted = useRef(false);

  const [nodes, setNodes] = useState<CanvasNode[]>([]);
  const [edges, setEdges] = useState<CanvasEdge[]>([]);
  const [active, setActive] = useState(false);
  const [tool, setTool] = useState<Tool | null>(null);
  const [costs, setCosts] = useState<readonly CostRow[]>([]);
  const [column, setColumn] = useState<Column>("flops");
  const [said, setSaid] = useState("");
  const [complaint, setComplaint] = useState("");
  const [offer, setOffer] = useState<Offer | null>(null);
  const [busy, setBusy] = useState("");
  const [runs, setRuns] = useState(0);
  const { full, fill } = useFull(root);
  const [listed, setListed] = useState(true);
  const [formAsked, setFormAsked] = useState(0);
  const curves = useMemo(() => new Curves(), []);
  const size = useHeight(kernel, root);

  const heat = useMemo(
    () => (tool === "cost" ? heatOf(costs, column) : new Map<string, number>()),
    [tool, costs, column],
  );

  // ---- what is drawn follows the scene; what is chosen stays chosen ------------------------
  useEffect(() => {
    setNodes((now) => nodesOf(scene, facts, heat, now));
    setEdges((now) => edgesOf(scene, facts, now));
  }, [scene, facts, heat]);

  const chosen = useMemo(() => nodes.filter((node) => node.selected).map((node) => node.id), [nodes]);
  const chosenSet = useMemo(() => new Set(chosen), [chosen]);
  const chosenWire = useMemo(() => edges.find((edge) => edge.selected)?.id ?? null, [edges]);
  const box = chosen.length === 1 ? scene.nodes.find(({ id }) => id === chosen[0]) : undefined;
  const wire = chosen.length === 0 ? scene.edges.find(({ id }) => id === chosenWire) : undefined;

  // Shapes are worked out after the first paint.
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      kernel.request("facts").catch(() => {});
    });
    return () => cancelAnimationFrame(frame);
  }, [kernel]);

  const focusCanvas = useCallback(() => {
    const at = root.current?.querySelector<HTMLElement>(".react-flow__node.selected");
    (at ?? root.current)?.focus({ preventScroll: true });
  }, []);

  const choose = useCallback((ids: readonly string[], edge: string | null = null) => {
    const wanted = new Set(ids);
    const marked = <T extends { id: string; selected?: boolean }>(list: T[], is: (id: string) => boolean): T[] =>
      list.map((each) => (Boolean(each.selected) === is(each.id) ? each : { ...each, selected: is(each.id) }));
    setNodes((now) => marked(now, (id) => wanted.has(id)));
    setEdges((now) => marked(now, (id) => id === edge));
  }, []);

  const actions = useActions({ kernel, view, latest, toShow, wantsForm, choose, focusCanvas, setComplaint, setSaid });

  // ---- the view follows what happens -------------------------------------------------------
  useEffect(() => {
    if (!view.ready()) return;
    if (!fitted.current && scene.nodes.length > 0) {
      fitted.current = true;
      view.fit(scene.nodes, scene.nodes.length > 40 ? 0.5 : EASY_ZOOM);
    }
    if (scene.nodes.length === 0) fitted.current = false;
    const wanted = toShow.current;
    if (!wanted) return;
    const boxes = scene.nodes.filter(({ id }) => wanted.ids.includes(id));
    if (boxes.length === 0) return;
    toShow.current = null;
    lastShown.current = { ids: wanted.ids, at: Date.now() };
    view.show(boxes);
    const one = wanted.ids.length === 1 ? wanted.ids[0] : undefined;
    if (wanted.focus && one && wantsForm.current?.node !== one) {
      requestAnimationFrame(() => {
        const at = root.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(one)}"]`);
        if (!isTyping(document.activeElement)) (at ?? root.current)?.focus({ preventScroll: true });
      });
    }
  });

  useFocus(root, setActive);

  useEffect(() => {
    if (!complaint) return;
    const timer = setTimeout(() => setComplaint(""), TOLD_FOR);
    return () => clearTimeout(timer);
  }, [complaint]);

  const { openSearch, place, drag, open, offerReaders, command, comment } = useCommands({
    scene,
    box,
    actions,
    view,
    root,
    searchBox,
    searchAt,
    latest,
    fitted,
    toShow,
    wantsForm,
    setListed,
    setOffer,
    setBusy,
    setRuns,
  });

  const toggleTool = (wanted: Tool) => {
    setTool((now) => (now === wanted ? null : wanted));
    if (tool === "cost" && wanted !== "train") kernel.request("cost", { on: false }).catch(() => {});
  };
  const closeTool = () => {
    if (tool) toggleTool(tool);
    focusCanvas();
  };

  const keys = useKeys({
    kernel,
    scene,
    actions,
    view,
    chosen,
    chosenWire,
    root,
    wantsForm,
    onForm: () => setFormAsked((count) => count + 1),
    onSearch: openSearch,
    onTool: (wanted) => setTool(wanted),
    onComment: comment,
    onEscape: () => {
      if (offer) setOffer(null);
      else if (chosen.length > 0 || chosenWire) choose([]);
      else if (tool) closeTool();
      root.current?.focus({ preventScroll: true });
    },
  });

  const inserted = (source: string) => insertCell(kernel.model, el, source);
  const empty = scene.nodes.length === 0 && !scene.readonly;
  const startDrag = useCallback((entry: Entry, event: PointerEvent) => drag.start(entry, event), [drag.start]);

  return (
    <Actions value={actions}>
      <div
        ref={root}
        className={`c2b${full ? " c2b-full" : ""}${keys.connecting ? " c2b-connecting" : ""}`}
        data-c2lab="net-builder"
        data-lm-suppress-shortcuts="true"
        data-version={scene.version}
        data-facts={facts.version}
        role="application"
        aria-label={`Net ${scene.name}`}
        tabIndex={0}
        style={{ height: full ? undefined : size.height }}
        onKeyDown={keys.onKeyDown}
        onClick={(event) => {
          // A notebook takes the focus to its cell when the mouse goes down; whoever clicked here types here.
          const node = (event.target as Element).closest<HTMLElement>(".react-flow__node");
          const claim = () => {
            if (root.current?.isConnected && !root.current.contains(document.activeElement)) {
              (node?.isConnected ? node : root.current).focus({ preventScroll: true });
            }
          };
          claim();
          setTimeout(claim, 30);
        }}
        onPaste={(event) => {
          if (event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
          const text = pasteText(event.clipboardData.getData("text/plain"));
          event.preventDefault();
          event.stopPropagation();
          actions.send("paste", { text }).then((reply) => {
            const placed = (reply?.placed ?? []) as string[];
            if (placed.length > 0) {
              toShow.current = { ids: placed, focus: false };
              choose(placed);
            }
          });
        }}
        onDragOver={(event) => {
          if (event.dataTransfer.types.includes("Files")) event.preventDefault();
        }}
        onDrop={(event) => {
          const file = event.dataTransfer.files[0];
          if (!file) return;
          event.preventDefault();
          event.stopPropagation();
          if (scene.readonly) actions.complain("This view is for looking only.");
          else open(file);
        }}
      >
        <Toolbar
          scene={scene}
          tool={tool}
          full={full}
          busy={busy}
          several={chosen.length > 1}
          hasGradients={scene.nodes.some((each) => each.gradient)}
          onCommand={command}
          onFit={() => {
            lastShown.current = { ids: [], at: 0 };
            view.fit(scene.nodes);
          }}
          onTool={toggleTool}
          onExport={(button) =>
            setOffer({
              ...below(root.current, button),
              label: "Export as",
              searched: false,
              items: exportItems(actions),
            })
          }
          onArrange={(button) =>
            setOffer({
              ...below(root.current, button),
              label: "Align",
              searched: false,
              items: ALIGNMENTS.map((how) => ({
                key: how,
                label: how,
                pick: () => actions.send("align", { nodes: chosen, how }),
              })),
            })
          }
          onOpen={open}
          onFull={fill}
          onPalette={() => setListed(!listed)}
        />
        <div className="c2b-middle">
          {!scene.readonly && listed && (
            <Palette
              entries={entries}
              searchRef={searchBox}
              onPlace={place}
              onDragStart={startDrag}
              onLeave={() => {
                searchAt.current = null;
                focusCanvas();
              }}
            />
          )}
          <div className="c2b-stage">
            <Canvas
              kernel={kernel}
              scene={scene}
              facts={facts}
              heat={heat}
              nodes={nodes}
              edges={edges}
              setNodes={setNodes}
              setEdges={setEdges}
              chosen={chosenSet}
              root={root}
              active={active}
              onSearchAt={(at) => {
                searchAt.current = at;
                openSearch();
              }}
              onOffer={offerReaders}
              onOpenGroup={(path) => actions.collapse(path, false)}
              onSeen={(seen) => view.show([seen])}
              onResized={() => {
                if (Date.now() - lastShown.current.at < SETTLING) {
                  view.show(scene.nodes.filter(({ id }) => lastShown.current.ids.includes(id)));
                }
              }}
            />
            {empty && (
              <Starters
                templates={entries.filter((entry) => entry.kind === "template")}
                inputs={entries.filter((entry) => entry.kind === "input")}
                onOpen={open}
                onPlace={place}
              />
            )}
            {complaint && (
              <div role="alert" className="c2b-complaint">
                {complaint}
                <button type="button" aria-label="Dismiss" onClick={() => setComplaint("")}>
                  ×
                </button>
              </div>
            )}
          </div>
          {box && (
            <Inspector
              key={box.id}
              kernel={kernel}
              box={box}
              facts={facts}
              version={scene.version}
              readonly={scene.readonly}
              asked={formAsked}
              wantsFocus={wantsForm}
              onSearch={openSearch}
            />
          )}
          {wire && (
            <WirePanel
              key={wire.id}
              kernel={kernel}
              wire={wire}
              version={scene.version}
              runs={runs}
              readonly={scene.readonly}
            />
          )}
        </div>
        <Problems scene={scene} facts={facts} />
        {tool && (
          <Drawer
            tool={tool}
            kernel={kernel}
            version={scene.version}
            column={column}
            curves={curves}
            onColumn={setColumn}
            onRows={setCosts}
            onInsert={inserted}
            onClose={closeTool}
            onRan={() => setRuns((count) => count + 1)}
          />
        )}
        <footer className="c2b-foot">
          <span className="c2b-net">{scene.name}</span>
          <span>{facts.totals.text ?? `${scene.operators} operators`}</span>
          <span className="c2b-said" role="status">
            {said || (box ? boxLabel(box) : "")}
          </span>
        </footer>
        {!full && <div className="c2b-handle" {...size.handle} />}
        {offer && <Menu {...offer} onClose={() => setOffer(null)} />}
        {drag.ghost && (
          <div
            className="c2b-ghost"
            style={{ transform: `translate(${drag.ghost.x + 10}px, ${drag.ghost.y + 6}px)` }}
            aria-hidden="true"
          >
            {drag.ghost.entry.type}
            {drag.ghost.wire && <small> into the wire</small>}
          </div>
        )}
      </div>
    </Actions>
  );
}
