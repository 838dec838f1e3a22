import { describe, expect, it } from "vitest";
import { NO_CLASS } from "../src/contract";
import { classColor } from "../src/ui/palette";
import tokens from "../src/ui/tokens.css";
import { contrast, difference, mix, SIGHT } from "./colour";

const THEMES = [
  { name: "light", dark: false, pages: ["#ffffff"], quiet: 0.96, visible: 2 },
  { name: "dark", dark: true, pages: ["#111418", "#111111", "#212121"], quiet: 0.93, visible: 2.8 },
];
const CODES = [...Array(10).keys()];

function token(name: string, dark: boolean): string {
  const block = tokens.split('[data-theme="dark"]')[dark ? 1 : 0] ?? "";
  const value = new RegExp(`--b-${name}: (.*);`).exec(block)?.[1] ?? "";
  return /#[0-9a-f]{6}/.exec(value)?.[0] ?? "";
}

describe.each(THEMES)("the $name theme", ({ dark, pages, quiet, visible }) => {
  const get = (name: string) => token(name, dark);

  it.each(pages)("can be read on a page of %s", (page) => {
    const chip = mix(page, get("fg"), quiet);
    for (const ground of [page, chip, get("accent-tint")]) {
      for (const name of ["fg", "fg-muted"]) {
        expect(contrast(get(name), ground)).toBeGreaterThanOrEqual(4.5);
      }
    }
    expect(contrast(get("accent-text"), page)).toBeGreaterThanOrEqual(4.5);
  });

  it.each([
    ["accent-fg", "accent"],
    ["accent-text", "accent-tint"],
    ["good", "good-tint"],
    ["bad", "bad-tint"],
    ["warn", "warn-tint"],
  ])("has %s that can be read on %s", (text, ground) => {
    expect(contrast(get(text), get(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(Object.entries(SIGHT))("has ten class colours that differ for %s sight", (_, sight) => {
    for (const a of CODES) {
      for (const b of CODES.slice(a + 1)) {
        const distance = difference(classColor(a, dark), classColor(b, dark), sight);
        expect(distance, `classes ${a} and ${b}`).toBeGreaterThan(7);
      }
    }
  });

  it.each(pages)("has class colours that show on a page of %s", (page) => {
    for (const code of [...CODES, NO_CLASS]) {
      expect(contrast(classColor(code, dark), page), `class ${code}`).toBeGreaterThan(visible);
    }
  });

  it("has a colour of its own for each of 250 classes", () => {
    const colors = Array.from({ length: 250 }, (_, code) => classColor(code, dark));
    expect(new Set(colors).size).toBe(250);
    for (const color of colors) expect(color).toMatch(/^#[0-9a-f]{6}$/);
  });
});
