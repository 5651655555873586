import { useContext, useEffect, useState } from "react";
import { Actions } from "../actions";
import type { Kernel } from "../kernel/kernel";
import { FieldView } from "./FieldView";
import type { Field } from "./form";
import { Prose } from "./Prose";

interface Optimizer {
  name: string;
  label: string;
  doc: string;
  fields: Field[];
}

/** Adds an optimizer. */
export function OptimizerPanel({ kernel, onDone }: { kernel: Kernel; onDone: () => void }) {
  const actions = useContext(Actions);
  const [known, setKnown] = useState<Optimizer[]>([]);
  const [name, setName] = useState("");
  const [values, setValues] = useState<Record<string, unknown>>({});
  useEffect(() => {
    kernel.request("optimizers").then(
      (reply) => {
        const found = (reply.optimizers ?? []) as Optimizer[];
        setKnown(found);
        setName(found[0]?.name ?? "");
      },
      (error) => actions.complain(error.message),
    );
  }, [kernel, actions]);
  const chosen = known.find((optimizer) => optimizer.name === name);
  const add = async () => {
    const reply = await actions.send("add_optimizer", { name, arguments: values });
    if (reply) onDone();
  };
  return (
    <div className="c2b-scroll c2b-optimizer">
      <div className="c2b-bar">
        {known.map((optimizer) => (
          <button
            key={optimizer.name}
            type="button"
            aria-pressed={optimizer.name === name}
            onClick={() => {
              setName(optimizer.name);
              setValues({});
            }}
          >
            {optimizer.label || optimizer.name}
          </button>
        ))}
        <button type="button" className="c2b-main" disabled={!chosen} onClick={add}>
          Add optimizer
        </button>
      </div>
      {chosen?.doc && (
        <p className="c2b-muted">
          <Prose text={chosen.doc} />
        </p>
      )}
      <div className="c2b-columns">
        {chosen?.fields.map((field) => (
          <FieldView
            key={`${name} ${field.name}`}
            field={{ ...field, value: values[field.name] ?? field.value }}
            readonly={false}
            onSet={async (key, value) => {
              setValues((before) => ({ ...before, [key]: value }));
              return "";
            }}
            onDone={() => {}}
            onSearch={() => {}}
            onUndo={() => {}}
          />
        ))}
      </div>
    </div>
  );
}
