/** Made-up clouds for looking at the map: the same every time. */

export interface Cloud {
  readonly points: Uint16Array;
  readonly codes: Uint16Array;
  readonly flagged: Uint8Array;
}

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next());
}

/** Bent, uneven clusters on a plane, 6 % of labels wrong, half of those flagged. */
export function makeCloud(rows: number, classes: number, seed = 7): Cloud {
  const next = random(seed);
  const centers = Array.from({ length: classes }, () => centerOf(next, classes));
  const xy = new Float32Array(rows * 2);
  const codes = new Uint16Array(rows);
  const flagged = new Uint8Array((rows + 7) >> 3);
  for (let row = 0; row < rows; row++) {
    const code = Math.floor(next() * classes);
    const center = centers[code] as Center;
    const t = normal(next);
    const u = normal(next);
    xy[2 * row] = center.x + center.size * (t * center.a + u * 0.35 + t * t * center.bend * 0.3);
    xy[2 * row + 1] = center.y + center.size * (u * 0.5 + t * center.bend);
    codes[row] = next() < 0.06 ? Math.floor(next() * classes) : code;
    if (codes[row] !== code && next() < 0.5)
      flagged[row >> 3] = (flagged[row >> 3] ?? 0) | (1 << (row & 7));
  }
  return { points: quantise(xy), codes, flagged };
}

interface Center {
  x: number;
  y: number;
  size: number;
  a: number;
  bend: number;
}

function centerOf(next: () => number, classes: number): Center {
  const size = (0.3 + 0.5 * next()) / Math.sqrt(classes + 2);
  return {
    x: next() * 6,
    y: next() * 6,
    size: size * 1.4,
    a: 0.4 + next(),
    bend: next() * 1.4 - 0.7,
  };
}

function quantise(xy: Float32Array): Uint16Array {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    x0 = Math.min(x0, xy[i] as number);
    x1 = Math.max(x1, xy[i] as number);
    y0 = Math.min(y0, xy[i + 1] as number);
    y1 = Math.max(y1, xy[i + 1] as number);
  }
  const span = Math.max(x1 - x0, y1 - y0) || 1;
  const out = new Uint16Array(xy.length);
  for (let i = 0; i < xy.length; i += 2) {
    out[i] = Math.round((((xy[i] as number) - x0) / span) * 65535);
    out[i + 1] = Math.round((((xy[i + 1] as number) - y0) / span) * 65535);
  }
  return out;
}
