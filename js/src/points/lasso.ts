import { emptyBits, setBit } from "./bits";
import { cellOf, type Grid } from "./grid";
import type { Accept } from "./pick";

/** Corners x0, y0, x1, y1, … in the 16-bit plane; closed by itself. */
export type Polygon = Float64Array;

/** Whether the polygon winds around the point, so overlaps of a self-crossing lasso count as in. */
export function inside(polygon: Polygon, x: number, y: number): boolean {
  let winding = 0;
  let ax = polygon[polygon.length - 2] as number;
  let ay = polygon[polygon.length - 1] as number;
  for (let i = 0; i < polygon.length; i += 2) {
    const bx = polygon[i] as number;
    const by = polygon[i + 1] as number;
    if (ay <= y !== by <= y) {
      const side = (bx - ax) * (y - ay) - (x - ax) * (by - ay);
      if (by > ay && side > 0) winding++;
      if (by <= ay && side < 0) winding--;
    }
    ax = bx;
    ay = by;
  }
  return winding !== 0;
}

/** A bitmap of the accepted rows inside the polygon. */
export function rowsInside(grid: Grid, polygon: Polygon, accept: Accept): Uint8Array<ArrayBuffer> {
  const bits = emptyBits(grid.rows.length);
  if (polygon.length < 6) return bits;
  const bounds = boundsOf(grid, polygon);
  const crossed = crossedCells(grid, polygon);
  for (let r = bounds.r0; r <= bounds.r1; r++)
    fillRow(grid, polygon, r, bounds, crossed, accept, bits);
  return bits;
}

interface CellBounds {
  readonly c0: number;
  readonly c1: number;
  readonly r0: number;
  readonly r1: number;
}

function boundsOf(grid: Grid, polygon: Polygon): CellBounds {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < polygon.length; i += 2) {
    x0 = Math.min(x0, polygon[i] as number);
    x1 = Math.max(x1, polygon[i] as number);
    y0 = Math.min(y0, polygon[i + 1] as number);
    y1 = Math.max(y1, polygon[i + 1] as number);
  }
  return { c0: cellOf(grid, x0), c1: cellOf(grid, x1), r0: cellOf(grid, y0), r1: cellOf(grid, y1) };
}

/** Cells without an edge in them lie wholly inside or outside, and so do runs of such cells. */
function fillRow(
  grid: Grid,
  polygon: Polygon,
  r: number,
  { c0, c1 }: CellBounds,
  crossed: Uint8Array,
  accept: Accept,
  bits: Uint8Array,
): void {
  const half = 2 ** (grid.shift - 1);
  let known: boolean | null = null;
  for (let c = c0; c <= c1; c++) {
    const cell = r * grid.side + c;
    if (crossed[cell]) {
      known = null;
      fillCell(grid, cell, bits, (row) => insideRow(grid, polygon, row) && accept(row));
      continue;
    }
    known ??= inside(polygon, c * 2 * half + half, r * 2 * half + half);
    if (known) fillCell(grid, cell, bits, accept);
  }
}

function insideRow(grid: Grid, polygon: Polygon, row: number): boolean {
  return inside(polygon, grid.xy[2 * row] as number, grid.xy[2 * row + 1] as number);
}

function fillCell(grid: Grid, cell: number, bits: Uint8Array, accept: Accept): void {
  const stop = grid.starts[cell + 1] as number;
  for (let i = grid.starts[cell] as number; i < stop; i++) {
    const row = grid.rows[i] as number;
    if (accept(row)) setBit(bits, row);
  }
}

function crossedCells(grid: Grid, polygon: Polygon): Uint8Array {
  const crossed = new Uint8Array(grid.side * grid.side);
  const n = polygon.length;
  for (let i = 0; i < n; i += 2) {
    const j = (i + n - 2) % n;
    markEdge(
      grid,
      crossed,
      polygon[j] as number,
      polygon[j + 1] as number,
      polygon[i] as number,
      polygon[i + 1] as number,
    );
  }
  return crossed;
}

/** Mark, row of cells by row of cells, the stretch of columns that the edge passes through. */
function markEdge(
  grid: Grid,
  crossed: Uint8Array,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): void {
  const size = 2 ** grid.shift;
  const margin = 1;
  const low = Math.min(ay, by);
  const high = Math.max(ay, by);
  const at = (y: number) => (high === low ? ax : ax + ((bx - ax) * (y - ay)) / (by - ay));
  const last = cellOf(grid, high + margin);
  for (let r = cellOf(grid, low - margin); r <= last; r++) {
    const from = at(Math.min(Math.max(r * size - margin, low), high));
    const to = high === low ? bx : at(Math.max(Math.min((r + 1) * size + margin, high), low));
    const c1 = cellOf(grid, Math.max(from, to) + margin);
    const c0 = cellOf(grid, Math.min(from, to) - margin);
    crossed.fill(1, r * grid.side + c0, r * grid.side + c1 + 1);
  }
}
