import { useEffect, useState } from "react";

/** Grows each time that the host changes between light and dark: for what is drawn rather than styled. */
export function useTheme(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const changed = () => setChanges((count) => count + 1);
    const watch = new MutationObserver(changed);
    watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", changed);
    return () => {
      watch.disconnect();
      scheme.removeEventListener("change", changed);
    };
  }, []);
  return changes;
}
