import { useEffect, useState } from "react";
import type { Kernel } from "./kernel/kernel";
import type { Entry } from "./kernel/scene";
import { useValue } from "./kernel/use_value";

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
    return kernel.onEvent((event) => {
      if (event.event === "palette") ask();
    });
  }, [kernel, readonly, synced]);
  return synced.length > 0 ? synced : asked;
}
