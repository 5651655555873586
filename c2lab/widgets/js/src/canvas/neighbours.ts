interface Place {
  id: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

const STEPS: Record<Direction, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The box that the eye would go to from `from` in a direction; what lies aside counts twice. */
export function neighbour(places: readonly Place[], from: string, direction: Direction): string | null {
  const start = places.find((place) => place.id === from);
  if (!start) return places[0]?.id ?? null;
  const [dx, dy] = STEPS[direction];
  const [x, y] = [start.x + start.w / 2, start.y + start.h / 2];
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const place of places) {
    if (place.id === from) continue;
    const [ox, oy] = [place.x + place.w / 2 - x, place.y + place.h / 2 - y];
    const along = ox * dx + oy * dy;
    const aside = Math.abs(ox * dy) + Math.abs(oy * dx);
    if (along <= 1) continue;
    const distance = along + 2 * aside;
    if (distance < least) [least, best] = [distance, place.id];
  }
  return best;
}
