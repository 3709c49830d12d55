// Bundles the pages' scripts and style, and the licences of all that goes into them.
//
//   node build.mjs FOLDER     writes page.js, charts.js, math.js, page.css and licences.txt there
import { build } from "esbuild";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const out = process.argv[2];
if (!out) throw new Error("name the folder to write to: node build.mjs FOLDER");

const result = await build({
  entryPoints: ["src/page.js", "src/charts.js", "src/math.js", "src/page.css"],
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: ["chrome109", "firefox115", "safari16"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
});

const packages = new Set(
  Object.keys(result.metafile.inputs)
    .map((path) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
    .filter(Boolean),
);
const told = [...packages].sort().map((name) => {
  const folder = join("node_modules", name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((one) => /^(licen[cs]e|copying)/i.test(one));
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "";
  return `${name} ${about.version} (${about.license})\n\n${text.trim()}\n`;
});
writeFileSync(
  join(out, "licences.txt"),
  `The scripts charts.js and math.js hold these packages of npm.\n\n${told.join(`\n${"-".repeat(72)}\n\n`)}`,
);
