import { describe, expect, it } from "vitest";
import { random } from "../../dev/map_data";
import { countBits, hasBit, rowsOf, sameRows, setBit } from "./bits";
import { buildGrid } from "./grid";
import { inside, type Polygon, rowsInside } from "./lasso";
import { type Accept, nearest, type Probe } from "./pick";

const CASES = 60;
const ALL: Accept = () => true;

/** Clouds with crowds, ties, and points on the very edge of the plane. */
function cloud(next: () => number): Uint16Array {
  const rows = Math.floor(next() * next() * 3000) + 1;
  const spread = next() < 0.3 ? 40 : 65535;
  return Uint16Array.from({ length: rows * 2 }, () => {
    const edge = next();
    if (edge < 0.02) return edge < 0.01 ? 0 : 65535;
    return Math.floor(next() * spread);
  });
}

function polygon(next: () => number): Polygon {
  const corners = Math.floor(next() * 12) + 3;
  const size = next() < 0.3 ? 60 : 80000;
  const round = next() < 0.5;
  return Float64Array.from({ length: corners * 2 }, () => {
    const value = next() * size - size * 0.1;
    return round ? Math.round(value) : value;
  });
}

/** The winding number from the angles that the edges are seen under: slow and different. */
function windsAround(corners: Polygon, x: number, y: number): boolean {
  let turn = 0;
  for (let i = 0; i < corners.length; i += 2) {
    const j = (i + 2) % corners.length;
    const [ax, ay] = [(corners[i] as number) - x, (corners[i + 1] as number) - y];
    const [bx, by] = [(corners[j] as number) - x, (corners[j + 1] as number) - y];
    turn += Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
  }
  return Math.abs(turn) > Math.PI;
}

function toEdge(corners: Polygon, x: number, y: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < corners.length; i += 2) {
    const j = (i + 2) % corners.length;
    const [ax, ay] = [corners[i] as number, corners[i + 1] as number];
    const [dx, dy] = [(corners[j] as number) - ax, (corners[j + 1] as number) - ay];
    const along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1);
    const t = Math.min(Math.max(along, 0), 1);
    least = Math.min(least, Math.hypot(x - ax - t * dx, y - ay - t * dy));
  }
  return least;
}

function nearestByForce(xy: Uint16Array, probe: Probe, accept: Accept): number {
  let best = -1;
  let least = probe.radius ** 2;
  for (let row = 0; row < xy.length / 2; row++) {
    const dx = ((xy[2 * row] as number) - probe.x) * probe.kx;
    const dy = ((xy[2 * row + 1] as number) - probe.y) * probe.ky;
    const distance = dx * dx + dy * dy;
    if (!accept(row) || distance > least || (distance === least && best >= 0)) continue;
    best = row;
    least = distance;
  }
  return best;
}

describe("the grid", () => {
  it("holds every row once, in its own cell", () => {
    const next = random(1);
    for (let i = 0; i < CASES; i++) {
      const xy = cloud(next);
      const grid = buildGrid(xy);
      expect([...grid.rows].sort((a, b) => a - b)).toEqual([...Array(xy.length / 2).keys()]);
      const cells = Array.from(grid.rows, (row) => {
        const x = (xy[2 * row] as number) >> grid.shift;
        return ((xy[2 * row + 1] as number) >> grid.shift) * grid.side + x;
      });
      const starts = cells.map((cell, i) => i >= (grid.starts[cell] as number));
      const stops = cells.map((cell, i) => i < (grid.starts[cell + 1] as number));
      expect([...starts, ...stops].every(Boolean)).toBe(true);
    }
  });

  it("is empty without rows", () => {
    expect(buildGrid(new Uint16Array(0)).rows.length).toBe(0);
  });
});

describe("picking", () => {
  it("finds the row that a search through all rows finds", () => {
    const next = random(2);
    for (let i = 0; i < CASES; i++) {
      const xy = cloud(next);
      const grid = buildGrid(xy);
      const accept: Accept = i % 2 ? ALL : (row) => row % 3 !== 1;
      for (let k = 0; k < 20; k++) {
        const scale = 0.001 + next() * 0.2;
        const [x, y] = [next() * 70000 - 2000, next() * 70000 - 2000];
        const probe = { x, y, kx: scale, ky: scale * (0.6 + next()), radius: next() * 60 };
        expect(nearest(grid, probe, accept)).toBe(nearestByForce(xy, probe, accept));
      }
    }
  });

  it("finds row 0", () => {
    const grid = buildGrid(Uint16Array.of(10, 10, 900, 900));
    expect(nearest(grid, { x: 12, y: 9, kx: 1, ky: 1, radius: 5 }, ALL)).toBe(0);
  });

  it("finds a row at exactly its radius, and the first of two rows in one place", () => {
    const probe = { x: 0, y: 0, kx: 1, ky: 1, radius: 5 };
    expect(nearest(buildGrid(Uint16Array.of(3, 4)), probe, ALL)).toBe(0);
    expect(nearest(buildGrid(Uint16Array.of(3, 4, 1, 1, 1, 1)), probe, ALL)).toBe(1);
  });

  it("finds nothing beyond its radius, among no rows, or among rows left out", () => {
    const probe = { x: 0, y: 0, kx: 1, ky: 1, radius: 5 };
    expect(nearest(buildGrid(Uint16Array.of(10, 0)), probe, ALL)).toBe(-1);
    expect(nearest(buildGrid(new Uint16Array(0)), probe, ALL)).toBe(-1);
    expect(nearest(buildGrid(Uint16Array.of(1, 0)), probe, () => false)).toBe(-1);
  });
});

describe("the lasso", () => {
  it("takes exactly the rows that lie inside, asked one by one", () => {
    const next = random(3);
    for (let i = 0; i < CASES * 3; i++) {
      const xy = cloud(next);
      const corners = polygon(next);
      const accept: Accept = i % 2 ? ALL : (row) => row % 5 !== 0;
      const bits = rowsInside(buildGrid(xy), corners, accept);
      const wrong = [...Array(xy.length / 2).keys()].filter((row) => {
        const is = inside(corners, xy[2 * row] as number, xy[2 * row + 1] as number);
        return hasBit(bits, row) !== (is && accept(row));
      });
      expect(wrong).toEqual([]);
    }
  });

  it("agrees with the angles under which the edges are seen, away from the edges", () => {
    const next = random(4);
    for (let i = 0; i < CASES * 20; i++) {
      const corners = polygon(next);
      const [x, y] = [next() * 66000, next() * 66000];
      if (toEdge(corners, x, y) < 1e-3) continue;
      expect(inside(corners, x, y)).toBe(windsAround(corners, x, y));
    }
  });

  it("takes the overlap of a loop that is drawn twice around", () => {
    const twice = Float64Array.of(0, 0, 100, 0, 100, 100, 0, 100, 0, 0, 100, 0, 100, 100, 0, 100);
    expect(inside(twice, 50, 50)).toBe(true);
  });

  it("takes row 0, and leaves hidden rows out", () => {
    const grid = buildGrid(Uint16Array.of(10, 10, 20, 20, 30, 30));
    const square = Float64Array.of(0, 0, 100, 0, 100, 100, 0, 100);
    expect([...rowsInside(grid, square, (row) => row !== 1)]).toEqual([0b101]);
  });

  it("takes nothing with fewer than three corners", () => {
    const grid = buildGrid(Uint16Array.of(10, 10));
    expect(countBits(rowsInside(grid, Float64Array.of(0, 0, 20, 20), ALL))).toBe(0);
  });
});

describe("bitmaps", () => {
  it("give back the rows that were set", () => {
    const next = random(5);
    for (let i = 0; i < CASES; i++) {
      const rows = Math.floor(next() * 300) + 1;
      const chosen = [...Array(rows).keys()].filter(() => next() < 0.3);
      const bits = new Uint8Array((rows + 7) >> 3);
      for (const row of chosen) setBit(bits, row);
      expect([...rowsOf(bits, rows)]).toEqual(chosen);
      expect(countBits(bits)).toBe(chosen.length);
    }
  });

  it("are the same whatever zeros follow", () => {
    expect(sameRows(Uint8Array.of(3), Uint8Array.of(3, 0, 0))).toBe(true);
    expect(sameRows(Uint8Array.of(3), Uint8Array.of(3, 0, 1))).toBe(false);
    expect(sameRows(new Uint8Array(0), Uint8Array.of(0))).toBe(true);
  });

  it("leave out bits beyond the rows", () => {
    expect([...rowsOf(Uint8Array.of(0xff), 3)]).toEqual([0, 1, 2]);
  });
});
