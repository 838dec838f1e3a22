import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { defineConfig } from "vitest/config";

const MARK = "\0text:";

/** A style sheet is imported as its text, as in the bundles; Vite would take it away. */
const cssAsText = {
  name: "css-as-text",
  enforce: "pre" as const,
  resolveId(source: string, importer: string | undefined) {
    if (!source.endsWith(".css") || importer === undefined) return null;
    return `${MARK}${resolve(dirname(importer), source)}.js`;
  },
  load(id: string) {
    if (!id.startsWith(MARK)) return null;
    const path = id.slice(MARK.length, -".js".length);
    return `export default ${JSON.stringify(readFileSync(path, "utf8"))}`;
  },
};

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [cssAsText],
  test: {
    environment: "jsdom",
    setupFiles: ["tests/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
  },
});
