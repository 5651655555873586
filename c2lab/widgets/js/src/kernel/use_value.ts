import { useRef, useSyncExternalStore } from "react";
import type { Kernel } from "./kernel";

/** A value that the kernel keeps in step, read by `read` once each time that it changes. */
export function useValue<T>(kernel: Kernel, name: string, read: (value: unknown) => T): T {
  const kept = useRef<{ raw: unknown; value: T } | null>(null);
  return useSyncExternalStore(
    (listener) => kernel.onChange(name, listener),
    () => {
      const raw = kernel.model.get(name);
      if (kept.current === null || kept.current.raw !== raw) kept.current = { raw, value: read(raw) };
      return kept.current.value;
    },
  );
}
