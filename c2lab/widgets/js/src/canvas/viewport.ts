interface Place {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface View {
  x: number;
  y: number;
  zoom: number;
}

const MARGIN = 32;

/** The rectangle around all places. */
export function bounds(places: readonly Place[]): Place | null {
  if (places.length === 0) return null;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, w, h } of places) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + w);
    bottom = Math.max(bottom, y + h);
  }
  return { x: left, y: top, w: right - left, h: bottom - top };
}

/** The view in which everything fits; where that would be smaller than `least`, the beginning of the net. */
export function fitted(places: readonly Place[], width: number, height: number, least: number, most = 1.25): View {
  const all = bounds(places);
  if (!all || width <= 0 || height <= 0) return { x: MARGIN, y: MARGIN, zoom: 1 };
  const whole = Math.min((width - 2 * MARGIN) / Math.max(all.w, 1), (height - 2 * MARGIN) / Math.max(all.h, 1));
  const zoom = Math.max(least, Math.min(most, whole));
  const along = (start: number, size: number, room: number) =>
    size * zoom <= room - MARGIN ? (room - size * zoom) / 2 - start * zoom : MARGIN - start * zoom;
  return { x: along(all.x, all.w, width), y: along(all.y, all.h, height), zoom };
}

/** Moves a view no more than needed for a place to be seen; the same view where it is seen already. */
export function revealing(view: View, place: Place, width: number, height: number): View {
  const zoom = view.zoom;
  const shift = (start: number, size: number, offset: number, room: number) => {
    const low = start * zoom + offset;
    const high = low + size * zoom;
    if (low < MARGIN) return offset + MARGIN - low;
    if (high > room - MARGIN) return offset - Math.min(high - room + MARGIN, low - MARGIN);
    return offset;
  };
  const [x, y] = [shift(place.x, place.w, view.x, width), shift(place.y, place.h, view.y, height)];
  return x === view.x && y === view.y ? view : { x, y, zoom };
}

/** How many places can be seen. */
export function countSeen(places: readonly Place[], view: View, width: number, height: number): number {
  const [left, top] = [-view.x / view.zoom, -view.y / view.zoom];
  const [right, bottom] = [left + width / view.zoom, top + height / view.zoom];
  let seen = 0;
  for (const { x, y, w, h } of places) if (x < right && x + w > left && y < bottom && y + h > top) seen++;
  return seen;
}

const SMALL = 120;

/** Whether boxes are too many or too small to be elements of their own; small nets always keep theirs. */
export function wantsOverview(total: number, seen: number, zoom: number, now: boolean): boolean {
  if (total <= SMALL) return false;
  return seen > (now ? 220 : 250) || zoom < (now ? 0.38 : 0.35);
}
