import { type RefObject, useEffect, useRef } from "react";

/** Keeps the focus in the widget once it is there; tells when it comes and goes. */
export function useFocus(root: RefObject<HTMLElement | null>, onActive: (active: boolean) => void) {
  const within = useRef(false);
  // A removed box takes the focus with it: it goes back to the root, so that the next key is heard.
  useEffect(() => {
    const follow = (event: Event) => {
      within.current = root.current?.contains(event.target as Node) ?? false;
      // JupyterLab's shortcuts match the focused element itself, so the mark on the root alone does not keep them off.
      if (within.current && event.type === "focusin") {
        (event.target as Element).setAttribute("data-lm-suppress-shortcuts", "true");
      }
      onActive(within.current);
    };
    document.addEventListener("focusin", follow);
    document.addEventListener("pointerdown", follow, true);
    return () => {
      document.removeEventListener("focusin", follow);
      document.removeEventListener("pointerdown", follow, true);
    };
  }, [root, onActive]);
  useEffect(() => {
    const here = document.activeElement;
    if (within.current && (!here || here === document.body)) root.current?.focus({ preventScroll: true });
  });
}
