import { useConnection } from "@xyflow/react";
import { useEffect, useState } from "react";
import type { Kernel } from "../kernel/kernel";
import { portIndex } from "./ports";

/** While a wire is being dragged: the shape that would come of it, or why it cannot be. */
export function WouldBe({ kernel }: { kernel: Kernel }) {
  const connection = useConnection();
  const [told, setTold] = useState<{ text: string; refused: boolean } | null>(null);
  const [a, b] = [connection.fromHandle, connection.toHandle];
  const [from, to] = a?.type === "target" ? [b, a] : [a, b];
  const key = from && to && from.type !== to.type ? `${from.nodeId} ${from.id} ${to.nodeId} ${to.id}` : "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says all that counts
  useEffect(() => {
    setTold(null);
    if (!key || !from || !to) return;
    let stale = false;
    kernel
      .request("would_connect", {
        source: from.nodeId,
        output: portIndex(from.id),
        target: to.nodeId,
        input: portIndex(to.id),
      })
      .then(
        ({ shape, carries }) => {
          const text = shape ? `gives ${shape}` : carries ? `carries ${carries}` : "fits";
          if (!stale) setTold({ text, refused: false });
        },
        (error) => !stale && setTold({ text: error.message, refused: true }),
      );
    return () => {
      stale = true;
    };
  }, [kernel, key]);
  if (!connection.inProgress || !told) return null;
  return (
    <div className={`c2b-would${told.refused ? " c2b-would-not" : ""}`} role="status">
      {told.text}
    </div>
  );
}
