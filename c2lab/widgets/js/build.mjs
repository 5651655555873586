// Bundles the browser side into the folder given as the first argument (../static where left out).
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = resolve(process.argv[2] ?? join(here, "..", "static"));

await build({
  entryPoints: [join(here, "src", "net_builder.tsx"), join(here, "src", "training_panel.ts")],
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});

// The licences of what is inside travel along in a file of their own.
const lock = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
const told = [];
for (const [folder, entry] of Object.entries(lock.packages)) {
  if (!folder || entry.dev || /esbuild/.test(folder)) continue;
  const found = readdirSync(join(here, folder)).find((name) => /^licen[sc]e/i.test(name));
  const text = found ? readFileSync(join(here, folder, found), "utf8").trim() : `Licence: ${entry.license}`;
  told.push(`${relative("node_modules", folder)} ${entry.version}\n\n${text}\n`);
}
const licences = join(target, "licences.txt");
rmSync(licences, { force: true });
writeFileSync(licences, told.join(`\n${"-".repeat(80)}\n\n`));
