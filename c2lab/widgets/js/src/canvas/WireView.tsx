import { BaseEdge, type EdgeProps, getBezierPath, getSmoothStepPath } from "@xyflow/react";
import { memo } from "react";
import type { CanvasEdge } from "./flow";

/** A wire, with the shape of what it carries. */
export const WireView = memo(function WireView(props: EdgeProps<CanvasEdge>) {
  const { data, markerEnd, ...ends } = props;
  const back = ends.targetX < ends.sourceX;
  const [path, x, y] = back ? getSmoothStepPath({ ...ends, borderRadius: 12 }) : getBezierPath(ends);
  const text = data?.shape || (data && data.wire.count > 1 ? `${data.wire.count} blobs` : "");
  return (
    <>
      <BaseEdge id={props.id} path={path} markerEnd={markerEnd} interactionWidth={18} />
      {text && (
        <text className="c2b-shape" x={x} y={y - 6} textAnchor="middle">
          {text.length > 34 ? `${text.slice(0, 33)}…` : text}
        </text>
      )}
    </>
  );
});
