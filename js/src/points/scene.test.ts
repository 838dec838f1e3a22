import { describe, expect, it } from "vitest";
import { random } from "../../dev/map_data";
import { NO_CLASS } from "../contract";
import { classCenters } from "./centers";
import { lookAt, ringAt, survey } from "./density";
import { FLAGGED, HIDDEN, Scene, SELECTED } from "./scene";
import { fitTo, rehome, toData, toPixel, zoomAt, zoomOf } from "./viewport";

function scene(rows: number): Scene {
  const made = new Scene();
  made.setPoints(new Uint16Array(rows * 2));
  made.take();
  return made;
}

function covered(ranges: readonly (readonly [number, number])[], row: number): boolean {
  return ranges.some(([start, stop]) => row >= start && row < stop);
}

describe("a scene", () => {
  it("spreads bitmaps over the rows and names every row that changed", () => {
    const next = random(1);
    const rows = 20_000;
    const made = scene(rows);
    for (let round = 0; round < 20; round++) {
      const before = made.states.slice();
      const bits = Uint8Array.from({ length: (rows + 7) >> 3 }, () =>
        next() < 0.01 ? Math.floor(next() * 256) : 0,
      );
      made.setState(round % 2 ? SELECTED : FLAGGED, bits);
      const { states } = made.take();
      const bit = round % 2 ? SELECTED : FLAGGED;
      const wrong = [...Array(rows).keys()].filter((row) => {
        const set = ((bits[row >> 3] as number) >> (row & 7)) & 1;
        const silent = before[row] !== made.states[row] && !covered(states, row);
        return made.has(row, bit) !== (set === 1) || silent;
      });
      expect(wrong).toEqual([]);
    }
  });

  it("keeps the states apart", () => {
    const made = scene(8);
    made.setState(HIDDEN, Uint8Array.of(0b1));
    made.setState(SELECTED, Uint8Array.of(0b11));
    made.setState(SELECTED, new Uint8Array(0));
    expect([...made.states]).toEqual([HIDDEN, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("lays staged changes over the head's codes and takes them back", () => {
    const made = scene(4);
    const head = Uint16Array.of(0, 1, 2, NO_CLASS);
    made.setCodes(head, Uint32Array.of(0, 3), Uint16Array.of(5, 6));
    expect([...made.codes]).toEqual([5, 1, 2, 6]);
    made.take();
    made.setCodes(head, Uint32Array.of(1), Uint16Array.of(7));
    expect([...made.codes]).toEqual([0, 7, 2, NO_CLASS]);
    expect(made.take().codes.length).toBeGreaterThan(0);
    expect([...head]).toEqual([0, 1, 2, NO_CLASS]);
  });

  it("sends nothing again when nothing changed", () => {
    const made = scene(100);
    const head = new Uint16Array(100);
    const none = new Uint32Array(0);
    made.setCodes(head, none, new Uint16Array(0));
    made.take();
    made.setCodes(head, none, new Uint16Array(0));
    expect(made.take()).toEqual({ geometry: false, codes: [], states: [], palette: false });
  });

  it("keeps codes and states when rows are added", () => {
    const made = scene(2);
    made.setState(HIDDEN, Uint8Array.of(0b111));
    made.setCodes(Uint16Array.of(4, 5, 6), new Uint32Array(0), new Uint16Array(0));
    made.setPoints(new Uint16Array(6));
    expect([...made.codes]).toEqual([4, 5, 6]);
    expect([...made.states]).toEqual([HIDDEN, HIDDEN, HIDDEN]);
  });
});

describe("the viewport", () => {
  const home = fitTo({ x0: 0, y0: 0, x1: 1, y1: 1 }, 400, 300, {
    top: 0,
    right: 0,
    bottom: 0,
    left: 0,
  });

  it("keeps what is under the pointer there while it zooms", () => {
    const next = random(2);
    let view = home;
    for (let i = 0; i < 200; i++) {
      const [px, py] = [next() * 400, next() * 300];
      const before = toData(view, px, py);
      view = zoomAt(view, home, px, py, 0.5 + next());
      const after = toData(view, px, py);
      expect(after[0]).toBeCloseTo(before[0], 6);
      expect(after[1]).toBeCloseTo(before[1], 6);
    }
  });

  it("shows the whole box, up is up", () => {
    expect(toPixel(home, 0.5, 0)).toEqual([200, 300]);
    expect(toPixel(home, 0.5, 1)).toEqual([200, 0]);
  });

  it("bears a box without extent", () => {
    const pad = { top: 5, right: 5, bottom: 5, left: 5 };
    const view = fitTo({ x0: 0.3, y0: 0.3, x1: 0.3, y1: 0.3 }, 100, 80, pad);
    const [x, y] = toPixel(view, 0.3, 0.3);
    expect(x).toBeCloseTo(50, 3);
    expect(y).toBeCloseTo(40, 3);
  });

  it("keeps its zoom and centre when the room changes", () => {
    const pad = { top: 0, right: 0, bottom: 0, left: 0 };
    const wider = fitTo({ x0: 0, y0: 0, x1: 1, y1: 1 }, 500, 300, pad);
    const view = rehome(zoomAt(home, home, 200, 150, 3), home, wider, 200, 150);
    expect(zoomOf(view, wider)).toBeCloseTo(3, 6);
    expect(rehome(home, home, wider, 0, 0)).toBe(wider);
  });
});

describe("the look of a crowd", () => {
  it("makes points smaller and fainter the denser they lie, and rings with them", () => {
    const looks = [100, 1e4, 1e6].map((shown) => {
      const cloud = { shown, box: null, density: shown * 10 };
      const look = lookAt(cloud, 300_000);
      return { look, ring: ringAt(cloud, look, shown / 30, 300_000) };
    });
    for (const [denser, sparser] of [
      [looks[1], looks[0]],
      [looks[2], looks[1]],
    ] as const) {
      expect(denser?.look.size).toBeLessThan(sparser?.look.size ?? 0);
      expect(denser?.ring.alpha).toBeLessThan(sparser?.ring.alpha ?? 0);
      expect(denser?.look.alpha).toBeLessThanOrEqual(sparser?.look.alpha ?? 0);
    }
  });

  it("leaves hidden rows out of the bounds", () => {
    const xy = Uint16Array.of(0, 0, 100, 200, 300, 400);
    const { box, shown } = survey(xy, (row) => row > 0);
    expect(box).toEqual({ x0: 100 / 65535, y0: 200 / 65535, x1: 300 / 65535, y1: 400 / 65535 });
    expect(shown).toBe(2);
    expect(survey(xy, () => false).box).toBeNull();
  });
});

describe("names on the map", () => {
  it("stand in the middle of where their class gathers, and not where it is scattered", () => {
    const next = random(3);
    const xy = Uint16Array.from({ length: 4000 }, (_, i) =>
      i < 2000 ? 20_000 + next() * 3000 : next() * 65535,
    );
    const codes = Uint16Array.from({ length: 2000 }, (_, row) => (row < 1000 ? 0 : 1));
    const centers = classCenters(xy, codes, 2, () => true);
    expect(centers.map(({ code }) => code)).toEqual([0]);
    expect(centers[0]?.x).toBeCloseTo(21_500 / 65535, 1);
  });

  it("skips rows without a class", () => {
    const codes = new Uint16Array(100).fill(NO_CLASS);
    expect(classCenters(new Uint16Array(200), codes, 1, () => true)).toEqual([]);
  });
});
