import { type RefObject, useEffect, useState } from "react";

/** Whether the widget fills the window, and how to change that. */
export function useFull(root: RefObject<HTMLElement | null>) {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const follow = () => setFull(document.fullscreenElement === root.current);
    document.addEventListener("fullscreenchange", follow);
    return () => document.removeEventListener("fullscreenchange", follow);
  }, [root]);

  const fill = async () => {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (full) setFull(false);
    else {
      try {
        await root.current?.requestFullscreen();
      } catch {
        setFull(true);
      }
    }
  };

  return { full, fill };
}
