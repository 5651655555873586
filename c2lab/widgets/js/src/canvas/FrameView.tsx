import type { NodeProps } from "@xyflow/react";
import { memo, useContext } from "react";
import { Actions } from "../actions";
import type { FrameNode } from "./flow";

/** The frame around an open scope. */
export const FrameView = memo(function FrameView({ data }: NodeProps<FrameNode>) {
  const actions = useContext(Actions);
  const { frame } = data;
  return (
    <div className={frame.clear ? "c2b-frame" : "c2b-frame c2b-frame-open"}>
      <button
        type="button"
        className="c2b-frame-name nodrag nopan"
        title={`Close ${frame.path}`}
        onClick={() => actions.collapse(frame.path, true)}
      >
        ▾ {frame.label || frame.path}
      </button>
    </div>
  );
});
