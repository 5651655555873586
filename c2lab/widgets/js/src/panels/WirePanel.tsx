import { useContext, useEffect, useState } from "react";
import { Actions } from "../actions";
import type { Kernel, Reply } from "../kernel/kernel";
import type { Wire } from "../kernel/scene";
import { Histogram } from "./Histogram";
import { amount, brief } from "./numbers";

interface Explained {
  blob: string;
  shape: string;
  dtype: string;
  bytes: number | null;
  bytes_a_sample: boolean;
  producer: string;
  producer_id: string;
  consumers: string[];
  consumer_ids: string[];
}

interface Peeked {
  shape: string;
  dtype: string;
  text: string;
  stats: Record<string, number> | null;
  histogram: { counts: number[]; low: number; high: number } | null;
  image: string | null;
  stale?: boolean;
}

interface Props {
  kernel: Kernel;
  wire: Wire;
  version: number;
  /** Grows with each run: values are looked at again. */
  runs: number;
  readonly: boolean;
}

/** What a wire carries: from where to where, and its values once the net ran. */
export function WirePanel({ kernel, wire, version, runs, readonly }: Props) {
  const actions = useContext(Actions);
  const [told, setTold] = useState<Explained | null>(null);
  const [peeked, setPeeked] = useState<Peeked | null>(null);
  const [why, setWhy] = useState("");

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again for each version and each run
  useEffect(() => {
    let stale = false;
    const take =
      <T,>(set: (value: T | null) => void) =>
      (reply: Reply) => {
        if (!stale) set(reply as T);
      };
    setTold(null);
    kernel.request("explain", { edge: wire.id }).then(take<Explained>(setTold), () => {});
    kernel.request("peek", { edge: wire.id }).then(
      (reply) => {
        if (stale) return;
        setWhy("");
        setPeeked(reply as unknown as Peeked);
      },
      (error) => {
        if (stale) return;
        setPeeked(null);
        setWhy(error.message);
      },
    );
    return () => {
      stale = true;
    };
  }, [kernel, wire.id, version, runs]);

  return (
    <section className="c2b-inspector" aria-label={`Wire ${wire.blob}`}>
      <h3>
        Wire <small>{wire.count > 1 ? `${wire.count} blobs` : wire.blob}</small>
      </h3>
      {told && (
        <dl>
          <dt>shape</dt>
          <dd>{told.shape || "not known"}</dd>
          <dt>dtype</dt>
          <dd>{told.dtype || "–"}</dd>
          <dt>bytes</dt>
          <dd>{told.bytes === null ? "–" : `${amount(told.bytes)}B${told.bytes_a_sample ? " a sample" : ""}`}</dd>
          <dt>from</dt>
          <dd>
            <button type="button" className="c2b-link" onClick={() => actions.reveal(told.producer_id)}>
              {told.producer}
            </button>
          </dd>
          <dt>to</dt>
          <dd>
            {told.consumers.map((name, k) => (
              <button
                key={told.consumer_ids[k]}
                type="button"
                className="c2b-link"
                onClick={() => actions.reveal(told.consumer_ids[k] ?? "")}
              >
                {name}
              </button>
            ))}
          </dd>
        </dl>
      )}
      {!readonly && wire.count === 1 && (
        <button type="button" onClick={() => actions.send("disconnect", { edge: wire.id })}>
          Disconnect
        </button>
      )}
      {peeked ? <Values peeked={peeked} /> : <p className="c2b-empty">{why || "Run the net to see values."}</p>}
    </section>
  );
}

function Values({ peeked }: { peeked: Peeked }) {
  return (
    <>
      {peeked.stale && <p className="c2b-missing">From before the last change.</p>}
      {peeked.image && (
        <img className="c2b-picture" src={`data:image/png;base64,${peeked.image}`} alt={`values, ${peeked.shape}`} />
      )}
      {peeked.histogram && <Histogram {...peeked.histogram} />}
      {peeked.stats && (
        <dl>
          {Object.entries(peeked.stats).map(([name, value]) => (
            <div key={name} className={name === "nan" && value > 0 ? "c2b-row c2b-bad" : "c2b-row"}>
              <dt>{name}</dt>
              <dd>{brief(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {peeked.text && <pre className="c2b-values">{peeked.text}</pre>}
    </>
  );
}
