import type { ActionTable } from "./actions";
import { bytesOf, download, pictureOf } from "./files";
import type { Item } from "./Menu";

const FORMATS: [string, string][] = [
  ["Python", "python"],
  ["pb", "pb"],
  ["pbtxt", "pbtxt"],
  ["SVG", "svg"],
  ["PNG", "png"],
];

interface Exported {
  filename?: string;
  text?: string;
  base64?: string;
  more?: Exported[];
}

/** The entries of the export menu. */
export function exportItems(actions: ActionTable): Item[] {
  return FORMATS.map(([label, format]) => ({ key: format, label, pick: () => exportAs(actions, format) }));
}

async function exportAs(actions: ActionTable, format: string): Promise<void> {
  // The kernel draws; the browser only turns the drawing into pixels.
  const reply = await actions.send("export", { format });
  if (!reply) return;
  const { filename = `net.${format}`, text, base64, more = [] } = reply as Exported;
  try {
    if (format === "png" && text !== undefined) {
      download(await pictureOf(text), filename.replace(/\.svg$/, ".png"));
    } else for (const file of [{ filename, text, base64 }, ...more]) save(file);
    actions.say(`Saved ${[filename, ...more.map((file) => file.filename)].join(", ")}`);
  } catch (error) {
    actions.complain(`Could not save ${filename}: ${(error as Error).message}`);
  }
}

function save({ filename = "net", text, base64 }: Exported): void {
  const content = base64 === undefined ? new Blob([text ?? ""], { type: "text/plain" }) : new Blob([bytesOf(base64)]);
  download(content, filename);
}
