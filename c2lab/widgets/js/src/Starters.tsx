import { useContext } from "react";
import { Actions } from "./actions";
import type { Entry } from "./kernel/scene";

interface Props {
  templates: readonly Entry[];
  inputs: readonly Entry[];
  onOpen: (file: File) => void;
  onPlace: (entry: Entry) => void;
}

/** What an empty canvas offers to begin with. */
export function Starters({ templates, inputs, onOpen, onPlace }: Props) {
  const actions = useContext(Actions);
  const digits = inputs.find((entry) => entry.type === "digits");
  return (
    <section className="c2b-starters" aria-label="Ways to begin">
      <p>
        Drag something here, or press <kbd>/</kbd> and type.
      </p>
      <div>
        {digits && (
          <button type="button" onClick={() => onPlace(digits)}>
            Handwritten digits
            <small>an input</small>
          </button>
        )}
        {templates.map((entry) => (
          <button key={entry.type} type="button" title={entry.summary} onClick={() => onPlace(entry)}>
            {entry.type}
            <small>a template</small>
          </button>
        ))}
        <label className="c2b-file c2b-starter-file">
          Open a file
          <small>.pb or .pbtxt</small>
          <input
            type="file"
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file) onOpen(file);
              else actions.focusCanvas();
            }}
          />
        </label>
      </div>
    </section>
  );
}
