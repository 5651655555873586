import type { Entry } from "../kernel/scene";

const MOST = 60;

/** How well an entry fits what was typed; 0 where it does not. */
export function fit(entry: Entry, typed: string): number {
  const name = entry.type;
  const [low, wanted] = [name.toLowerCase(), typed.toLowerCase()];
  const words = wanted.split(/\s+/).filter(Boolean);
  const plain = (entry.gradient ? -3 : 0) + (entry.kind === "layer" ? 1 : 0);
  if (name === typed) return 100;
  if (low === wanted) return 90 + plain;
  if (low.replace(/[^a-z0-9]/g, "") === wanted.replace(/[^a-z0-9]/g, "") && wanted) return 80 + plain;
  if (low.startsWith(wanted)) return 60 + plain - low.length / 50;
  if (initials(name).startsWith(wanted) && wanted.length > 1) return 45 + plain - low.length / 50;
  if (low.includes(wanted)) return 40 + plain - low.length / 50;
  if (words.length > 0 && words.every((word) => entry.words.includes(word))) return 10 + plain;
  return 0;
}

/** The capitals of a name: `SoftmaxWithLoss` gives `swl`. */
function initials(name: string): string {
  return (name.match(/[A-Z]|^[a-z]|(?<=_)[a-z]/g) ?? []).join("").toLowerCase();
}

/** The entries that fit, best first; all of them where nothing was typed. */
export function search(entries: readonly Entry[], typed: string): Entry[] {
  const wanted = typed.trim();
  if (!wanted) return [...entries];
  return entries
    .map((entry, place) => ({ entry, place, score: fit(entry, wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .slice(0, MOST)
    .map(({ entry }) => entry);
}
