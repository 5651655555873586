import { useContext } from "react";
import { Actions } from "../actions";
import type { Facts, Scene } from "../kernel/scene";
import { boxLabel } from "../kernel/scene";

/** What is wrong, each at its cause. */
export function Problems({ scene, facts }: { scene: Scene; facts: Facts }) {
  const actions = useContext(Actions);
  if (facts.problems.length === 0) return null;
  const boxes = new Map(scene.nodes.map((box) => [box.id, box]));
  return (
    <div className="c2b-problems">
      {facts.problems.slice(0, 20).map((problem) => {
        const box = boxes.get(problem.node);
        return (
          <div key={problem.node} role="alert" className="c2b-problem">
            <button type="button" className="c2b-link" onClick={() => actions.reveal(problem.node)}>
              {box ? boxLabel(box) : problem.node}
            </button>
            : {problem.message}
          </div>
        );
      })}
    </div>
  );
}
