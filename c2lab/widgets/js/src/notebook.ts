import type { Model } from "./kernel/model";

interface SharedModel {
  cells?: readonly unknown[];
  insertCell(index: number, cell: { cell_type: string; source: string; metadata: object }): unknown;
}

/** Writes a code cell below the one that a view stands in; false where the page is no notebook that can be edited. */
export function insertCell(model: Model, el: Element, source: string): boolean {
  const manager = (model as { widget_manager?: unknown }).widget_manager as
    | { context?: { model?: { sharedModel?: SharedModel } } }
    | undefined;
  const shared = manager?.context?.model?.sharedModel;
  if (typeof shared?.insertCell !== "function") return false;
  const place = placeOf(el);
  const index = place === null ? (shared.cells?.length ?? 0) : place + 1;
  shared.insertCell(index, { cell_type: "code", source, metadata: { trusted: true } });
  return true;
}

/** Which cell of its notebook an element stands in. */
export function placeOf(el: Element): number | null {
  const cell = el.closest(".jp-Cell");
  if (!cell) return null;
  const told = cell.getAttribute("data-windowed-list-index");
  if (told !== null && /^\d+$/.test(told)) return Number(told);
  const notebook = cell.closest(".jp-Notebook");
  const cells = notebook ? [...notebook.querySelectorAll(".jp-Cell")] : [];
  const place = cells.indexOf(cell);
  return place < 0 ? null : place;
}
