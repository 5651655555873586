import {
  applyEdgeChanges,
  applyNodeChanges,
  Background,
  type Connection,
  type FinalConnectionState,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
} from "@xyflow/react";
import {
  type Dispatch,
  type RefObject,
  type SetStateAction,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
} from "react";
import { Actions } from "../actions";
import type { Kernel } from "../kernel/kernel";
import type { Box, Facts, Scene } from "../kernel/scene";
import { BoxView } from "./BoxView";
import { FrameView } from "./FrameView";
import type { CanvasEdge, CanvasNode } from "./flow";
import { Overview } from "./Overview";
import { freeInput, freeOutput, portIndex } from "./ports";
import { countSeen, wantsOverview } from "./viewport";
import { WireView } from "./WireView";
import { WouldBe } from "./WouldBe";

const NODE_TYPES = { box: BoxView, frame: FrameView };
const EDGE_TYPES = { wire: WireView };
const CULL_ABOVE = 120;

export interface CanvasProps {
  kernel: Kernel;
  scene: Scene;
  facts: Facts;
  heat: ReadonlyMap<string, number>;
  nodes: CanvasNode[];
  edges: CanvasEdge[];
  setNodes: Dispatch<SetStateAction<CanvasNode[]>>;
  setEdges: Dispatch<SetStateAction<CanvasEdge[]>>;
  chosen: ReadonlySet<string>;
  root: RefObject<HTMLElement | null>;
  /** Whether the wheel zooms without a key. */
  active: boolean;
  onSearchAt: (at: { x: number; y: number }) => void;
  onOffer: (from: Box, output: number, client: { x: number; y: number }) => void;
  onOpenGroup: (path: string) => void;
  onSeen: (box: Box) => void;
  onResized: () => void;
}

/** The boxes and wires; above a size, the overview in their place. */
export function Canvas(props: CanvasProps) {
  const { scene, kernel, nodes, edges, setNodes, setEdges, chosen } = props;
  const actions = useContext(Actions);
  const flow = useReactFlow();
  const [x, y, zoom] = useStore((state) => state.transform);
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const [overview, setOverview] = useState(false);
  const readonly = scene.readonly;
  const pressed = useRef<{ x: number; y: number } | null>(null);

  useEffect(() => {
    const seen = countSeen(scene.nodes, { x, y, zoom }, width, height);
    setOverview((now) => width > 0 && wantsOverview(scene.nodes.length, seen, zoom, now));
  }, [scene.nodes, x, y, zoom, width, height]);

  // A form that opens takes room from the canvas: what was just shown stays in sight.
  const resized = useRef(props.onResized);
  resized.current = props.onResized;
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the size changes
  useEffect(() => resized.current(), [width, height]);

  const boxOf = useCallback((id: string) => scene.nodes.find((box) => box.id === id), [scene.nodes]);

  const connect = useCallback(
    ({ source, sourceHandle, target, targetHandle }: Connection) => {
      actions.send("connect", { source, output: portIndex(sourceHandle), target, input: portIndex(targetHandle) });
    },
    [actions],
  );

  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      if (state.isValid || state.toHandle || !state.fromHandle) return;
      const from = boxOf(state.fromHandle.nodeId);
      if (!from) return;
      const index = portIndex(state.fromHandle.id);
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (!point) return;
      const under = document
        .elementsFromPoint(point.clientX, point.clientY)
        .map((element) => element.closest<HTMLElement>(".react-flow__node")?.dataset.id)
        .find((id) => id !== undefined);
      const onto = under ? boxOf(under) : undefined;
      if (onto && onto.id !== from.id) {
        // Let go over a box: its first input that needs something, or the output of a source.
        if (state.fromHandle.type === "source") {
          const input = freeInput(onto);
          if (input === null) actions.complain(`${onto.type} ${onto.name} has no free input`);
          else actions.send("connect", { source: from.id, output: index, target: onto.id, input });
        } else {
          actions.send("connect", { source: onto.id, output: freeOutput(scene, onto), target: from.id, input: index });
        }
      } else if (!onto && state.fromHandle.type === "source" && from.kind !== "group") {
        props.onOffer(from, index, { x: point.clientX, y: point.clientY });
      }
    },
    [boxOf, actions, scene, props.onOffer],
  );

  const moved = useCallback(
    (dragged: readonly CanvasNode[]) => {
      const positions: Record<string, [number, number]> = {};
      for (const node of dragged) {
        const box = boxOf(node.id);
        if (box && (box.x !== node.position.x || box.y !== node.position.y)) {
          positions[node.id] = [node.position.x, node.position.y];
        }
      }
      if (Object.keys(positions).length > 0) actions.send("move", { positions });
    },
    [boxOf, actions],
  );

  const boxAt = (clientX: number, clientY: number): Box | undefined => {
    const at = flow.screenToFlowPosition({ x: clientX, y: clientY });
    return scene.nodes.findLast((b) => at.x >= b.x && at.x <= b.x + b.w && at.y >= b.y && at.y <= b.y + b.h);
  };

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the root hears the keys
    <div
      className="c2b-pane"
      onPointerDown={(event) => {
        pressed.current = { x: event.clientX, y: event.clientY };
        // The pane keeps presses to itself: without this the keys would go elsewhere.
        if (!(event.target as Element).closest(".react-flow__node, button"))
          props.root.current?.focus({ preventScroll: true });
      }}
      onFocus={(event) => {
        // Whoever walks with Tab sees where.
        const node = (event.target as Element).closest<HTMLElement>(".react-flow__node")?.dataset.id;
        const box = node ? boxOf(node) : undefined;
        if (box && (event.target as Element).matches(":focus-visible")) props.onSeen(box);
      }}
      onClick={(event) => {
        // In the overview boxes are no elements: a click finds them by place.
        const start = pressed.current;
        if (!overview || !start || Math.hypot(event.clientX - start.x, event.clientY - start.y) > 4) return;
        const box = boxAt(event.clientX, event.clientY);
        actions.choose(box ? [box.id] : []);
      }}
      onDoubleClick={(event) => {
        const target = event.target as Element;
        if (overview) {
          const box = boxAt(event.clientX, event.clientY);
          if (box?.kind === "group" && box.path) props.onOpenGroup(box.path);
          else if (box) actions.reveal(box.id);
          return;
        }
        const node = target.closest<HTMLElement>(".react-flow__node")?.dataset.id;
        const box = node ? boxOf(node) : undefined;
        if (box?.kind === "group" && box.path) props.onOpenGroup(box.path);
        else if (!box && target.closest(".react-flow__pane") && !readonly) {
          props.onSearchAt(flow.screenToFlowPosition({ x: event.clientX, y: event.clientY }));
        }
      }}
    >
      <ReactFlow<CanvasNode, CanvasEdge>
        nodes={overview ? [] : nodes}
        edges={overview ? [] : edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={(changes) => setNodes((now) => applyNodeChanges(changes, now))}
        onEdgesChange={(changes) => setEdges((now) => applyEdgeChanges(changes, now))}
        onNodeDragStop={(_, __, dragged) => moved(dragged)}
        onSelectionDragStop={(_, dragged) => moved(dragged)}
        onConnect={connect}
        onConnectEnd={onConnectEnd}
        connectionRadius={24}
        nodesDraggable={!readonly}
        nodesConnectable={!readonly}
        nodesFocusable
        edgesFocusable
        edgesReconnectable={false}
        elementsSelectable
        elevateNodesOnSelect={false}
        onlyRenderVisibleElements={scene.nodes.length > CULL_ABOVE}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={["Meta", "Control", "Shift"]}
        panActivationKeyCode={null}
        selectionMode={SelectionMode.Partial}
        zoomActivationKeyCode={["Control", "Meta"]}
        zoomOnDoubleClick={false}
        zoomOnScroll={props.active}
        preventScrolling={props.active}
        nodeDragThreshold={3}
        minZoom={0.02}
        maxZoom={2.5}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={24} size={1} color="var(--c2b-dots)" />
        {overview && <Overview scene={scene} facts={props.facts} heat={props.heat} chosen={chosen} root={props.root} />}
        <WouldBe kernel={kernel} />
      </ReactFlow>
    </div>
  );
}
