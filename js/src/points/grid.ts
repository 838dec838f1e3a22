/** A uniform grid over the 16-bit plane: rows sorted by cell, so that a cell is a run in `rows`. */
export interface Grid {
  readonly xy: Uint16Array;
  /** bits of a coordinate that lie inside one cell */
  readonly shift: number;
  readonly side: number;
  /** rows ordered by cell */
  readonly rows: Uint32Array;
  /** where each cell starts in `rows`; one more entry than cells */
  readonly starts: Uint32Array;
}

const ROWS_PER_CELL = 8;
const MAX_BITS = 9;

/** Build the grid by counting sort; every row is in it, hidden ones too. */
export function buildGrid(xy: Uint16Array): Grid {
  const n = xy.length >> 1;
  const bits = Math.min(Math.max(Math.ceil(Math.log2(n / ROWS_PER_CELL + 1) / 2), 0), MAX_BITS);
  const shift = 16 - bits;
  const side = 1 << bits;
  const starts = countCells(xy, shift, side);
  return { xy, shift, side, starts, rows: placeRows(xy, shift, side, starts) };
}

function countCells(xy: Uint16Array, shift: number, side: number): Uint32Array {
  const starts = new Uint32Array(side * side + 1);
  for (let i = 0; i < xy.length - 1; i += 2) {
    const cell = ((xy[i + 1] as number) >> shift) * side + ((xy[i] as number) >> shift);
    starts[cell + 1] = (starts[cell + 1] as number) + 1;
  }
  for (let c = 1; c < starts.length; c++) {
    starts[c] = (starts[c] as number) + (starts[c - 1] as number);
  }
  return starts;
}

function placeRows(xy: Uint16Array, shift: number, side: number, starts: Uint32Array): Uint32Array {
  const next = starts.slice();
  const rows = new Uint32Array(xy.length >> 1);
  for (let row = 0; row < rows.length; row++) {
    const cell = ((xy[2 * row + 1] as number) >> shift) * side + ((xy[2 * row] as number) >> shift);
    const place = next[cell] as number;
    rows[place] = row;
    next[cell] = place + 1;
  }
  return rows;
}

/** The cell column or row of a coordinate, clamped to the grid. */
export function cellOf(grid: Grid, coordinate: number): number {
  return Math.min(Math.max(Math.floor(coordinate) >> grid.shift, 0), grid.side - 1);
}
