// Serves the stand-alone page: node dev/serve.mjs [port]
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const context = await esbuild.context({
  entryPoints: [join(here, "main.ts")],
  outdir: join(here, "out"),
  bundle: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".css": "text" },
  sourcemap: "inline",
});
const port = Number(process.argv[2] ?? 8123);
const { port: at } = await context.serve({ servedir: here, port, host: "127.0.0.1" });
console.log(`http://127.0.0.1:${at}/`);
