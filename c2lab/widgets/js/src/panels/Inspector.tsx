import { type RefObject, useCallback, useContext, useEffect, useRef, useState } from "react";
import { Actions } from "../actions";
import type { Kernel } from "../kernel/kernel";
import type { Box, Facts } from "../kernel/scene";
import { isTyping } from "../keys";
import { FeedView } from "./FeedView";
import { FieldView } from "./FieldView";
import type { Field, Form } from "./form";
import { Prose } from "./Prose";

export interface WantedForm {
  node: string;
  any: boolean;
}

interface Props {
  kernel: Kernel;
  box: Box;
  facts: Facts;
  version: number;
  readonly: boolean;
  /** The box whose form should take the focus when it is there; `any`: also where nothing has to be filled in. */
  wantsFocus: RefObject<WantedForm | null>;
  /** Grows each time that the form is asked for by key. */
  asked: number;
  onSearch: () => void;
}

/** The form of the chosen box. */
export function Inspector({ kernel, box, facts, version, readonly, wantsFocus, asked, onSearch }: Props) {
  const actions = useContext(Actions);
  const [form, setForm] = useState<Form | null>(null);
  const [all, setAll] = useState(false);
  const body = useRef<HTMLDivElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each version of the net may change the form
  useEffect(() => {
    let stale = false;
    kernel.request("form", { node: box.id }).then(
      (reply) => !stale && setForm({ ...(reply as unknown as Form) }),
      () => !stale && setForm(null),
    );
    return () => {
      stale = true;
    };
  }, [kernel, box.id, version]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at again each time that the form is asked for
  useEffect(() => {
    const wanted = wantsFocus.current;
    if (!form || wanted?.node !== box.id) return;
    wantsFocus.current = null;
    // Whoever types elsewhere by now goes on there.
    if (isTyping(document.activeElement)) return;
    const first = form.fields[0];
    const target = body.current?.querySelector<HTMLInputElement>("[data-field]");
    if (first && target && (wanted.any || first.parameter || first.required)) {
      target.focus({ preventScroll: true });
      target.select?.();
    } else actions.focusCanvas();
  }, [form, box.id, wantsFocus, actions, asked]);

  const set = useCallback(
    async (name: string, value: unknown) => {
      try {
        await kernel.request("set_argument", { node: box.id, name, value });
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    },
    [kernel, box.id],
  );
  const told = async (command: string, content: Record<string, unknown>) => {
    try {
      await kernel.request(command, content);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  if (!form) return null;
  const usual = form.fields.filter((field) => all || field.given || field.required || !field.technical);
  const shownFields = all || usual.length <= 8 ? usual : usual.filter((f, k) => f.given || f.required || k < 8);
  const hidden = form.fields.length - shownFields.length;
  const problem = facts.problems.find(({ node }) => node === box.id)?.message ?? facts.incomplete[box.id] ?? "";
  const shared = {
    readonly,
    onDone: actions.focusCanvas,
    onSearch,
    onUndo: (redo: boolean) => actions.send(redo ? "redo" : "undo"),
  };
  const view = (field: Field, onSet = set) => (
    <FieldView key={`${box.id} ${field.name}`} field={field} onSet={onSet} {...shared} />
  );
  const operator = box.kind === "operator";
  return (
    <section className="c2b-inspector" aria-label={`Form of ${box.type} ${box.name}`} ref={body}>
      <h3>
        {box.kind === "input" ? "Input" : box.kind === "comment" ? "Comment" : box.type} <small>{box.name}</small>
      </h3>
      {problem && <p className="c2b-missing">{problem}</p>}
      {shownFields.map((field) => view(field))}
      {hidden > 0 && (
        <button type="button" className="c2b-link" onClick={() => setAll(true)}>
          {hidden} more arguments
        </button>
      )}
      {operator && (
        <details>
          <summary>Name, blobs, place</summary>
          {view(plain("operator name", form.name), (_, value) =>
            told("rename_operator", { node: box.id, to: String(value ?? "") }),
          )}
          {(form.outputs ?? []).map(({ blob, slot, doc }) =>
            view(plain(`blob ${slot || blob}`, blob, doc), (_, value) =>
              told("rename", { blob, to: String(value ?? "") }),
            ),
          )}
          {view(plain("device", form.device, "cpu, gpu, gpu:1; nothing for the net's own."), (_, value) =>
            told("set_device", { nodes: [box.id], device: String(value ?? "") }),
          )}
          {view(plain("scope", form.scope, "Name scope, such as encoder/block1."), (_, value) =>
            told("set_scope", { nodes: [box.id], scope: String(value ?? "") }),
          )}
        </details>
      )}
      {box.kind === "input" &&
        view(plain("blob", box.name), async (_, value) => {
          const reply = await told("rename", { blob: box.name, to: String(value ?? "") });
          return reply;
        })}
      {box.kind === "input" && !readonly && <FeedView kernel={kernel} blob={box.name} />}
      {form.source && <p className="c2b-source">{form.source}</p>}
      {form.doc && (
        <details>
          <summary>What it does</summary>
          <p className="c2b-prose">
            <Prose text={form.doc} />
          </p>
        </details>
      )}
    </section>
  );
}

function plain(name: string, value: string, doc = ""): Field {
  return { name, kind: "str", value, default: "", given: true, choices: [], minimum: null, doc, required: false };
}
