/** Shapes that the software painter presses onto the picture, cut for 16 positions in a pixel. */
export interface Stamp {
  /** where the shape's pixels lie from the pixel of its centre, one list per position */
  readonly offsets: readonly Int32Array[];
  /** how much of each pixel the shape covers, 0 … 256 */
  readonly covers: readonly Uint16Array[];
  readonly reach: number;
}

export const PHASES = 4;

export type Coverage = (distance: number) => number;

export function disc(size: number): Coverage {
  return (d) => size / 2 - d + 0.5;
}

export function ring(radius: number, line: number): Coverage {
  return (d) => line / 2 - Math.abs(d - radius + line / 2) + 0.5;
}

export function cut(coverage: Coverage, radius: number, pitch: number): Stamp {
  const reach = Math.ceil(radius) + 1;
  const offsets: Int32Array[] = [];
  const covers: Uint16Array[] = [];
  for (let phase = 0; phase < PHASES * PHASES; phase++) {
    const x = ((phase % PHASES) + 0.5) / PHASES;
    const y = (Math.floor(phase / PHASES) + 0.5) / PHASES;
    const pixels = pixelsOf(coverage, reach, x, y);
    offsets.push(Int32Array.from(pixels, ([column, row]) => row * pitch + column));
    covers.push(Uint16Array.from(pixels, ([, , cover]) => cover));
  }
  return { offsets, covers, reach };
}

type Pixel = readonly [column: number, row: number, cover: number];

function pixelsOf(coverage: Coverage, reach: number, x: number, y: number): Pixel[] {
  const pixels: Pixel[] = [];
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      const cover = Math.round(256 * Math.min(Math.max(coverage(distance), 0), 1));
      if (cover > 0) pixels.push([column, row, cover]);
    }
  }
  return pixels;
}
