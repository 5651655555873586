import type { Scene } from "./kernel/scene";

export type Tool = "cost" | "code" | "find" | "help" | "optimizer" | "train";

interface Props {
  scene: Scene;
  tool: Tool | null;
  full: boolean;
  hasGradients: boolean;
  busy: string;
  onCommand: (name: "undo" | "redo" | "layout" | "gradients" | "no gradients" | "run") => void;
  onFit: () => void;
  onTool: (tool: Tool) => void;
  onExport: (button: HTMLElement) => void;
  onArrange: (button: HTMLElement) => void;
  onOpen: (file: File) => void;
  onFull: () => void;
  onPalette: () => void;
  several: boolean;
}

/** The buttons above the canvas. */
export function Toolbar(props: Props) {
  const { scene, tool, onCommand, onTool } = props;
  const editable = !scene.readonly;
  const toggle = (name: Tool, label: string, hint: string) => (
    <button type="button" aria-pressed={tool === name} title={hint} onClick={() => onTool(name)}>
      {label}
    </button>
  );
  return (
    <div className="c2b-toolbar" role="toolbar" aria-label="Net">
      {editable && (
        <>
          <button type="button" aria-label="Palette" title="Show or hide the palette" onClick={props.onPalette}>
            ☰
          </button>
          <button
            type="button"
            aria-label="Undo"
            title={scene.undo ? `Undo: ${scene.undo}` : "Nothing to undo"}
            disabled={!scene.undo}
            onClick={() => onCommand("undo")}
          >
            ↶ Undo
          </button>
          <button
            type="button"
            aria-label="Redo"
            title={scene.redo ? `Redo: ${scene.redo}` : "Nothing to redo"}
            disabled={!scene.redo}
            onClick={() => onCommand("redo")}
          >
            ↷ Redo
          </button>
          <i />
        </>
      )}
      <button type="button" title="Lay everything out anew" onClick={() => onCommand("layout")}>
        Layout
      </button>
      <button type="button" title="See the whole net (0)" onClick={props.onFit}>
        Fit
      </button>
      {props.several && editable && (
        <button type="button" aria-haspopup="menu" onClick={(event) => props.onArrange(event.currentTarget)}>
          Align
        </button>
      )}
      {toggle("find", "Find", "Find an operator, a blob or an argument (Ctrl F)")}
      <i />
      {editable && (
        <>
          <button
            type="button"
            aria-pressed={props.hasGradients}
            title="The backward net, in place"
            onClick={() => onCommand("gradients")}
          >
            Add gradients
          </button>
          {props.hasGradients && (
            <button
              type="button"
              aria-label="Remove gradients"
              title="Take the backward net away"
              onClick={() => onCommand("no gradients")}
            >
              ✕
            </button>
          )}
          {toggle("optimizer", "Optimizer", "Add an optimizer")}
        </>
      )}
      {toggle("cost", "Cost", "What each operator costs")}
      {toggle("code", "Code", "The net as Python")}
      <button type="button" aria-haspopup="menu" onClick={(event) => props.onExport(event.currentTarget)}>
        Export
      </button>
      {editable && (
        <>
          <label className="c2b-file" title="Open a .pb or .pbtxt file">
            Open
            <input
              type="file"
              accept=".pb,.pbtxt,.prototxt,.onnx"
              onChange={(event) => {
                const file = event.target.files?.[0];
                if (file) props.onOpen(file);
                event.target.value = "";
              }}
            />
          </label>
          <i />
          <button
            type="button"
            title="Run the net once"
            disabled={props.busy === "run"}
            onClick={() => onCommand("run")}
          >
            Run
          </button>
          {toggle("train", "Train", "Train, with live curves")}
        </>
      )}
      <span className="c2b-space" />
      <button
        type="button"
        aria-label="Full size"
        aria-pressed={props.full}
        title={props.full ? "Back to the notebook" : "Fill the window"}
        onClick={props.onFull}
      >
        ⤢
      </button>
      <button
        type="button"
        aria-label="Help"
        aria-pressed={tool === "help"}
        title="Keys (?)"
        onClick={() => onTool("help")}
      >
        ?
      </button>
    </div>
  );
}
