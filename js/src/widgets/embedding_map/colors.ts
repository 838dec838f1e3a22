import { NO_CLASS } from "../../contract";
import type { Rgb } from "../../points/painter";
import { classColor } from "../../ui/palette";

/** Class codes that stay full; empty for all of them. */
export type Filter = ReadonlySet<number>;

const LEFT_OUT = 28;

export function passes(filter: Filter, code: number): boolean {
  return filter.size === 0 || filter.has(code);
}

/** RGBA per class, rows without a class last; filtered-out classes are grey and faint. */
export function paletteOf(classes: number, filter: Filter, dark: boolean): Uint8Array {
  const palette = new Uint8Array((classes + 1) * 4);
  for (let i = 0; i <= classes; i++) {
    const code = i === classes ? NO_CLASS : i;
    const passed = passes(filter, code);
    const color = rgbOf(classColor(passed ? code : NO_CLASS, dark));
    palette.set([...color, passed ? 255 : LEFT_OUT], i * 4);
  }
  return palette;
}

function rgbOf(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function ringColor(dark: boolean): Rgb {
  return dark ? [236, 239, 243] : [27, 31, 36];
}
