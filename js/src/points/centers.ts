import { NO_CLASS } from "../contract";
import type { Accept } from "./pick";

/** Where a class's name may stand, in the unit square. */
export interface Center {
  readonly code: number;
  readonly x: number;
  readonly y: number;
  readonly rows: number;
}

const SAMPLE = 60_000;
const SIDE = 24;
const BIN = 65536 / SIDE;
/** A name says something only where its class gathers and is the most common one. */
const GATHERED = 0.12;
const PURE = 0.4;
const FEWEST = 5;

/** The middle of the densest place of each class; classes without such a place are left out. */
export function classCenters(
  xy: Uint16Array,
  codes: Uint16Array,
  classes: number,
  accept: Accept,
): Center[] {
  const rows = sample(xy.length >> 1, accept);
  const bins = Array.from({ length: classes }, () => new Uint32Array(SIDE * SIDE));
  const all = new Uint32Array(SIDE * SIDE);
  for (const row of rows) count(bins[codes[row] ?? NO_CLASS], all, binOf(xy, row));
  const centers = bins.map((own, code) => centerOf(xy, codes, rows, own, all, code));
  return centers.filter((center) => center !== null);
}

function sample(rows: number, accept: Accept): Uint32Array {
  const every = Math.max(1, Math.floor(rows / SAMPLE));
  return Uint32Array.from({ length: Math.ceil(rows / every) }, (_, i) => i * every).filter(accept);
}

function binOf(xy: Uint16Array, row: number): number {
  const column = Math.floor((xy[2 * row] as number) / BIN);
  return Math.floor((xy[2 * row + 1] as number) / BIN) * SIDE + column;
}

function count(own: Uint32Array | undefined, all: Uint32Array, bin: number): void {
  all[bin] = (all[bin] as number) + 1;
  if (own) own[bin] = (own[bin] as number) + 1;
}

function centerOf(
  xy: Uint16Array,
  codes: Uint16Array,
  rows: Uint32Array,
  own: Uint32Array,
  all: Uint32Array,
  code: number,
): Center | null {
  const total = own.reduce((sum, n) => sum + n, 0);
  const peak = around(own).reduce((best, n, i, sums) => (n > (sums[best] as number) ? i : best), 0);
  const gathered = sumAround(own, peak);
  if (gathered < FEWEST || gathered < GATHERED * total) return null;
  if (gathered < PURE * sumAround(all, peak)) return null;
  const near = rows.filter((row) => codes[row] === code && isAround(binOf(xy, row), peak));
  return { code, x: median(xy, near, 0), y: median(xy, near, 1), rows: total };
}

function around(bins: Uint32Array): Uint32Array {
  return bins.map((_, bin) => sumAround(bins, bin));
}

function sumAround(bins: Uint32Array, bin: number): number {
  const [row, column] = [Math.floor(bin / SIDE), bin % SIDE];
  let sum = 0;
  for (let r = Math.max(row - 1, 0); r <= Math.min(row + 1, SIDE - 1); r++) {
    for (let c = Math.max(column - 1, 0); c <= Math.min(column + 1, SIDE - 1); c++) {
      sum += bins[r * SIDE + c] as number;
    }
  }
  return sum;
}

function isAround(bin: number, peak: number): boolean {
  const rows = Math.abs(Math.floor(bin / SIDE) - Math.floor(peak / SIDE));
  return rows <= 1 && Math.abs((bin % SIDE) - (peak % SIDE)) <= 1;
}

function median(xy: Uint16Array, rows: Uint32Array, axis: 0 | 1): number {
  const values = Uint16Array.from(rows, (row) => xy[2 * row + axis] as number).sort();
  return (values[values.length >> 1] as number) / 65535;
}
