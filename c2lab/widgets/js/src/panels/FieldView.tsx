import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { type Field, isNumeric, meant, placeholder, shown } from "./form";
import { Prose } from "./Prose";

const PAUSE = 150;

interface Props {
  field: Field;
  readonly: boolean;
  /** Sends the value; the answer is why it was refused, or nothing. */
  onSet: (name: string, value: unknown) => Promise<string>;
  onDone: () => void;
  onSearch: () => void;
  onUndo: (redo: boolean) => void;
}

/** One argument: labelled by its name, sent a moment after typing stops. */
export function FieldView({ field, readonly, onSet, onDone, onSearch, onUndo }: Props) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const [error, setError] = useState("");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef<string | null>(null);
  const told = shown(field.value);
  latest.current = draft;

  const send = async (text: string) => {
    clearTimeout(timer.current);
    const read = meant(field, text);
    if ("error" in read) {
      setError(read.error);
      return;
    }
    const refused = await onSet(field.name, read.value);
    setError(refused);
    // Only now is the kernel's value the one that was typed, unless typing went on.
    if (!refused && latest.current === text) setDraft(null);
  };
  const change = (text: string) => {
    setDraft(text);
    setError("");
    clearTimeout(timer.current);
    timer.current = setTimeout(() => send(text), PAUSE);
  };
  const flush = () => {
    if (latest.current !== null && latest.current !== told) send(latest.current);
  };
  // A form that closes while a value waits still sends it.
  const leaving = useRef(flush);
  leaving.current = flush;
  useEffect(() => () => leaving.current(), []);

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    event.stopPropagation();
    const command = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !event.shiftKey) {
      flush();
      onDone();
    } else if (event.key === "Escape") {
      clearTimeout(timer.current);
      setDraft(null);
      setError("");
      onDone();
    } else if (event.key === "/" && isNumeric(field)) {
      flush();
      onSearch();
    } else if (command && event.key.toLowerCase() === "z" && (draft === null || draft === told)) {
      onUndo(event.shiftKey);
    } else return;
    event.preventDefault();
  };

  const described = `${id}-doc`;
  const shared = {
    id,
    disabled: readonly,
    "aria-describedby": field.doc ? described : undefined,
    "aria-invalid": error ? true : undefined,
    "data-field": field.name,
    onKeyDown,
  };
  let control: React.ReactNode;
  if (field.kind === "bool") {
    control = (
      <input
        {...shared}
        type="checkbox"
        checked={Boolean(field.value ?? field.default)}
        onChange={(event) => onSet(field.name, event.target.checked).then(setError)}
      />
    );
  } else if (field.choices.length > 0) {
    control = (
      <select
        {...shared}
        value={told}
        onChange={(event) => onSet(field.name, choice(field, event.target.value)).then(setError)}
      >
        {!field.choices.some((value) => shown(value) === told) && <option value={told}>{told || "–"}</option>}
        {field.choices.map((value) => (
          <option key={shown(value)} value={shown(value)}>
            {shown(value)}
          </option>
        ))}
      </select>
    );
  } else {
    const long = field.name === "text" || (draft ?? told).includes("\n");
    const input = {
      ...shared,
      value: draft ?? told,
      placeholder: placeholder(field),
      onBlur: flush,
      spellCheck: false,
      autoComplete: "off",
    };
    control = long ? (
      <textarea {...input} rows={4} onChange={(event) => change(event.target.value)} />
    ) : (
      <input
        {...input}
        type="text"
        inputMode={field.kind === "int" ? "numeric" : undefined}
        onChange={(event) => change(event.target.value)}
      />
    );
  }
  return (
    <div className={`c2b-field${field.given ? " c2b-given" : ""}`}>
      <label htmlFor={id}>{field.name}</label>
      {control}
      {error && (
        <div role="alert" className="c2b-refused">
          {error}
        </div>
      )}
      {field.doc && (
        <div id={described} className="c2b-doc">
          <Prose text={field.doc} />
        </div>
      )}
    </div>
  );
}

function choice(field: Field, text: string): unknown {
  return field.choices.find((value) => shown(value) === text) ?? text;
}
