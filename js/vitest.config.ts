import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [
    {
      name: "css-as-text",
      enforce: "pre",
      load(id) {
        if (!id.endsWith(".css")) return null;
        return {
          code: `export default ${JSON.stringify(readFileSync(id, "utf8"))}`,
          moduleType: "js",
        };
      },
    },
  ],
  test: {
    environment: "jsdom",
    setupFiles: ["tests/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
  },
});
