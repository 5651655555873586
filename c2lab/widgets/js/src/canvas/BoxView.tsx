import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import type { BoxData, BoxNode } from "./flow";
import { hueOf } from "./hues";
import { inputPorts, outputPorts, type Port } from "./ports";

/** One box: an operator, an input, a closed group or a comment. */
export const BoxView = memo(function BoxView({ data }: NodeProps<BoxNode>) {
  const { box, down } = data;
  if (box.kind === "comment") return <div className="c2b-comment-text">{box.text}</div>;
  const style = data.heat >= 0 ? { "--c2b-heat": data.heat } : undefined;
  return (
    <div
      className={`c2b-card c2b-hue-${hueOf(box.family)}${data.heat >= 0 ? " c2b-hot" : ""}`}
      style={style as React.CSSProperties}
      title={hover(data)}
    >
      {box.kind === "input" ? <InputText data={data} /> : <OperatorText data={data} />}
      {box.kind !== "input" &&
        inputPorts(box).map((port) => (
          <PortView key={port.id} port={port} down={down} connectable={!data.readonly && box.kind !== "group"} />
        ))}
      {outputPorts(box).map((port) => (
        <PortView key={port.id} port={port} down={down} connectable={!data.readonly && box.kind !== "group"} />
      ))}
    </div>
  );
});

function InputText({ data }: { data: BoxData }) {
  return <div className="c2b-title">{data.box.name}</div>;
}

function OperatorText({ data }: { data: BoxData }) {
  const { box } = data;
  return (
    <>
      <div className="c2b-head">
        <span className="c2b-title">{box.type}</span>
        {box.kind === "operator" && <span className="c2b-name">{box.name}</span>}
        {box.device && <span className="c2b-device">{box.device}</span>}
      </div>
      {box.kind === "group" && <div className="c2b-line">{box.name}</div>}
      {box.line && <div className="c2b-line">{box.line}</div>}
      {box.pills.length > 0 && (
        <div className="c2b-pills">
          {box.pills.slice(0, 4).map((pill) => (
            <span key={pill.blob} className="c2b-pill" title={pill.blob} data-parameter={pill.blob}>
              {pill.text}
            </span>
          ))}
          {box.pills.length > 4 && <span className="c2b-pill">+{box.pills.length - 4}</span>}
        </div>
      )}
      {data.problem && <div className="c2b-reason">{data.problem}</div>}
      {box.unknown && !data.problem && <div className="c2b-reason">There is no operator of this type here.</div>}
    </>
  );
}

function PortView({ port, down, connectable }: { port: Port; down: boolean; connectable: boolean }) {
  const input = port.side === "input";
  const side = down ? (input ? Position.Top : Position.Bottom) : input ? Position.Left : Position.Right;
  return (
    <Handle
      id={port.id}
      type={input ? "target" : "source"}
      position={side}
      style={down ? { left: `${port.at * 100}%` } : { top: `${port.at * 100}%` }}
      isConnectable={connectable}
      className={`c2b-port${port.blob === null ? " c2b-free" : ""}${port.optional ? " c2b-optional" : ""}`}
      data-port={port.name}
      data-side={port.side}
      data-index={port.index}
      title={
        input ? `${port.name}${port.blob ? `: ${port.blob}` : port.optional ? " (may be left out)" : ""}` : port.name
      }
      aria-label={`${input ? "input" : "output"} ${port.name}`}
    >
      <span className="c2b-port-name">{port.name}</span>
    </Handle>
  );
}

function hover({ box, outputs, problem, missing }: BoxData): string {
  const lines = [`${box.type} ${box.name}`.trim()];
  for (const [name, value] of box.arguments) lines.push(`${name} = ${value.slice(0, 200)}`);
  if (outputs) lines.push(`gives ${outputs}`);
  if (problem || missing) lines.push(problem || missing);
  return lines.join("\n");
}
