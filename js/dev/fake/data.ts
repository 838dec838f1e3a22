import { greyPng } from "./png";

/** Rows that look like a real dataset; the same for the same seed. */
export interface Data {
  name: string;
  classes: string[];
  truth: number[];
  labels: number[];
  keys: string[];
  texts: string[] | null;
  images: DataView[] | null;
  x: Float64Array;
  y: Float64Array;
  /** rows under review, worst first */
  flagged: number[];
}

export interface Shape {
  rows: number;
  classes: string[];
  flagged: number;
  kind: "image" | "text" | "table";
}

const GLYPHS = [
  "00111100 01100110 01000010 01000010 01000010 01000010 01100110 00111100",
  "00011000 00111000 01111000 00011000 00011000 00011000 00011000 00111100",
  "00111100 01100110 00000110 00001100 00011000 00110000 01100000 01111110",
  "00111100 01100110 00000110 00011100 00000110 00000110 01100110 00111100",
  "00001100 00011100 00110100 01100100 01111110 00000100 00000100 00001110",
  "01111110 01100000 01100000 01111100 00000110 00000110 01100110 00111100",
  "00011100 00110000 01100000 01111100 01100110 01100110 01100110 00111100",
  "01111110 00000110 00001100 00001100 00011000 00011000 00110000 00110000",
  "00111100 01100110 01100110 00111100 01100110 01100110 01100110 00111100",
  "00111100 01100110 01100110 01100110 00111110 00000110 00001100 00111000",
];
const WORDS =
  "the parcel came late and nobody answered my mails about the refund but the shoes fit well so I will order again next spring when the shop has new colours in store".split(
    " ",
  );

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

export function makeData(name: string, shape: Shape, seed = 1): Data {
  const next = random(seed);
  const { rows, classes } = shape;
  const truth = Array.from({ length: rows }, () => Math.floor(next() * classes.length));
  const labels = [...truth];
  const flagged = Array.from({ length: shape.flagged }, (_, i) => (i * 7919 + 13) % rows);
  for (const row of flagged) {
    labels[row] = ((truth[row] ?? 0) + 1 + Math.floor(next() * 8)) % classes.length;
  }
  const { x, y } = places(truth, classes.length, next);
  return {
    name,
    classes,
    truth,
    labels,
    keys: truth.map((_, row) => `img-${String(row).padStart(4, "0")}`),
    texts: shape.kind === "text" ? truth.map(() => sentence(next)) : null,
    images: shape.kind === "image" ? truth.map((digit) => picture(digit % 10, next)) : null,
    x,
    y,
    flagged,
  };
}

function places(truth: number[], classes: number, next: () => number) {
  const x = new Float64Array(truth.length);
  const y = new Float64Array(truth.length);
  truth.forEach((label, row) => {
    const angle = (label / classes) * Math.PI * 2;
    const spread = () => (next() + next() + next() - 1.5) * 0.09;
    x[row] = 0.5 + 0.36 * Math.cos(angle) + spread();
    y[row] = 0.5 + 0.36 * Math.sin(angle) + spread();
  });
  return { x, y };
}

function sentence(next: () => number): string {
  const length = 6 + Math.floor(next() ** 3 * 120);
  const start = Math.floor(next() * WORDS.length);
  return Array.from({ length }, (_, i) => WORDS[(start + i * 3) % WORDS.length]).join(" ");
}

function picture(digit: number, next: () => number): DataView {
  const lines = (GLYPHS[digit] ?? "").split(" ");
  const shift = Math.floor(next() * 3) - 1;
  const pixels = new Uint8Array(64);
  for (let at = 0; at < 64; at++) {
    const ink = lines[at >> 3]?.[(at & 7) + shift] === "1";
    const noise = next() < 0.06 ? 110 : 0;
    pixels[at] = Math.max(0, (ink ? 20 + next() * 110 : 255) - noise);
  }
  return greyPng(pixels, 8, 8);
}
