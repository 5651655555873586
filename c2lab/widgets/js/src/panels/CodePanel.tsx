import { useContext, useEffect, useState } from "react";
import { Actions } from "../actions";
import { putOnClipboard } from "../files";
import type { Kernel } from "../kernel/kernel";

interface Props {
  kernel: Kernel;
  version: number;
  onInsert: (source: string) => boolean;
}

const WRITTEN_AS: Record<string, string> = {
  brew: "as brew's layers",
  operator: "as operators",
  mixed: "as brew's layers and operators",
};

/** The net as Python. */
export function CodePanel({ kernel, version, onInsert }: Props) {
  const actions = useContext(Actions);
  const [code, setCode] = useState<{ text: string; level: string; cell: string } | null>(null);
  const [why, setWhy] = useState("");
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again for each version of the net
  useEffect(() => {
    let stale = false;
    kernel.request("code").then(
      (reply) => {
        if (stale) return;
        const text = String(reply.text ?? "");
        setCode({ text, level: String(reply.level ?? ""), cell: String(reply.cell ?? text) });
        setWhy("");
      },
      (error) => !stale && setWhy(error.message),
    );
    return () => {
      stale = true;
    };
  }, [kernel, version]);
  const copy = async (text: string, instead: string) => {
    actions.say(
      (await putOnClipboard(text)) ? instead : "The browser does not let this page copy: select the text instead.",
    );
  };
  return (
    <div className="c2b-code">
      <div className="c2b-bar">
        <button
          type="button"
          disabled={!code}
          onClick={() => {
            if (!code) return;
            if (onInsert(code.cell)) actions.say("Inserted a cell below.");
            else copy(code.cell, "Cells cannot be inserted here: the code is on the clipboard, paste it into a cell.");
          }}
        >
          Insert cell
        </button>
        <button type="button" disabled={!code} onClick={() => code && copy(code.text, "Copied.")}>
          Copy code
        </button>
        {code && <span className="c2b-muted">{WRITTEN_AS[code.level]}</span>}
        {why && <span role="alert">{why}</span>}
      </div>
      <pre className="c2b-scroll" tabIndex={0}>
        {code?.text ?? ""}
      </pre>
    </div>
  );
}
