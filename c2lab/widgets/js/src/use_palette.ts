import { useEffect, useState } from "react";
import type { Kernel } from "./kernel/kernel";
import type { Entry } from "./kernel/scene";
import { useValue } from "./kernel/use_value";

const PAUSE = 200;

const readEntries = (value: unknown) => (value ?? []) as Entry[];

/** What can be placed: from the synced value, else asked for once the canvas stands. */
export function usePalette(kernel: Kernel, readonly: boolean): readonly Entry[] {
  const synced = useValue(kernel, "palette", readEntries);
  const [asked, setAsked] = useState<Entry[]>([]);
  useEffect(() => {
    if (readonly || synced.length > 0) return;
    const ask = () => {
      kernel.request("palette").then(
        (reply) => setAsked((reply.entries ?? []) as Entry[]),
        () => {},
      );
    };
    ask();
    // A cell that defines many operators, or an import of them, says so once for each.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = kernel.onEvent((event) => {
      if (event.event !== "palette") return;
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [kernel, readonly, synced]);
  return synced.length > 0 ? synced : asked;
}
