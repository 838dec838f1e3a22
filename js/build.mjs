// Bundles every widget to src/burnish/static/<name>.js. Flags: --watch, --dev (readable, with maps).
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const widgets = join(here, "src", "widgets");
const out = resolve(here, "..", "src", "burnish", "static");
const flags = new Set(process.argv.slice(2));

async function entryPoints() {
  const names = (await readdir(widgets, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const entries = {};
  for (const name of names) {
    const file = join(widgets, name, "index.ts");
    if (await stat(file).catch(() => null)) entries[name] = file;
  }
  if (Object.keys(entries).length === 0) throw new Error(`no widget found in ${widgets}`);
  return entries;
}

async function clear() {
  await mkdir(out, { recursive: true });
  for (const name of await readdir(out)) {
    if (/\.(js|css|map)$/.test(name)) await rm(join(out, name));
  }
}

function options(entries) {
  const dev = flags.has("--dev");
  return {
    absWorkingDir: here,
    entryPoints: entries,
    outdir: out,
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "text" },
    minify: !dev,
    sourcemap: dev ? "inline" : false,
    legalComments: "none",
    metafile: true,
    write: flags.has("--watch"),
    logLevel: "warning",
  };
}

async function write(result) {
  await clear();
  for (const file of result.outputFiles) {
    await writeFile(file.path, file.contents);
    const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);
    const name = file.path.slice(out.length + 1).padEnd(20);
    console.log(name, kilobytes(file.contents.length), kilobytes(gzipSync(file.contents).length));
  }
}

try {
  const settings = options(await entryPoints());
  if (flags.has("--watch")) {
    const context = await esbuild.context(settings);
    await context.watch();
    console.log(`watching ${widgets}`);
  } else {
    await write(await esbuild.build(settings));
  }
} catch (error) {
  console.error(error.errors ? "" : error);
  process.exit(1);
}
