import { NO_CLASS } from "../contract";

type Rgb = readonly [red: number, green: number, blue: number];

/**
 * The hues that people know from their plots, with lightness and chroma moved apart until any two
 * differ for people with protanopia and deuteranopia too.
 */
const TEN_LIGHT = [
  "#015582",
  "#e77411",
  "#3faf66",
  "#ba2314",
  "#b27ab0",
  "#66babf",
  "#cdb228",
  "#9e7250",
  "#f48a97",
  "#61708c",
];
const TEN_DARK = [
  "#2e73a3",
  "#fc9900",
  "#6bc86a",
  "#b15249",
  "#d197d0",
  "#86dadf",
  "#e2d86a",
  "#b78c66",
  "#ffb1ab",
  "#7c8eaa",
];
const GREY = { light: "#8c939d", dark: "#767d87" };
const GOLDEN_ANGLE = 137.508;

/** Colour of a class code: ten known colours, beyond that as many as there are codes. */
export function classColor(code: number, dark: boolean): string {
  if (code === NO_CLASS) return dark ? GREY.dark : GREY.light;
  return (dark ? TEN_DARK : TEN_LIGHT)[code] ?? generated(code, dark);
}

function generated(code: number, dark: boolean): string {
  const step = code % 3;
  const lightness = (dark ? 0.68 : 0.6) + (step - 1) * 0.09;
  const chroma = 0.13 - (code % 2) * 0.035;
  return hex(oklch(lightness, chroma, (code * GOLDEN_ANGLE) % 360));
}

function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const angle = (hue * Math.PI) / 180;
  const a = chroma * Math.cos(angle);
  const b = chroma * Math.sin(angle);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function gamma(value: number): number {
  const clipped = Math.min(1, Math.max(0, value));
  return clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
}

function hex(rgb: Rgb): string {
  const part = (value: number) =>
    Math.round(value * 255)
      .toString(16)
      .padStart(2, "0");
  return `#${rgb.map(part).join("")}`;
}
