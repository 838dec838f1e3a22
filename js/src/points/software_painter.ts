import { DIMMED, type Frame, type Painter, TOP_ALPHA, thinned } from "./painter";
import { HIDDEN, type Scene, SELECTED } from "./scene";
import { cut, disc, PHASES, ring, type Stamp } from "./stamps";

const LOW = 0x00ff00ff;

interface Pass {
  readonly stamp: Stamp;
  readonly rows: Uint32Array | null;
  readonly every: number;
  readonly alpha: number;
  readonly fade: number;
  readonly ring: RingStamp | null;
}

interface RingStamp {
  readonly stamp: Stamp;
  /** packed */
  readonly color: number;
  /** of the point's own opacity, 0 … 256 */
  readonly alpha: number;
}

/** Draws where WebGL is missing, or is itself only software and slower than this. */
export class SoftwarePainter implements Painter {
  private pixels = new Uint32Array(0);
  private image: ImageData | null = null;
  private width = 0;
  private height = 0;
  private pitch = 0;
  private margin = 0;

  paint(scene: Scene, frame: Frame, target: CanvasRenderingContext2D): boolean {
    scene.take();
    this.resize(frame);
    for (const pass of this.passes(frame)) this.press(scene, frame, pass);
    this.show(target);
    return true;
  }

  private resize({ width, height, dpr, size, ring }: Frame): void {
    this.width = Math.round(width * dpr);
    this.height = Math.round(height * dpr);
    this.margin = 2 * Math.ceil(Math.max(size / 2, ring.radius) * dpr + 3);
    this.pitch = this.width + 2 * this.margin;
    const length = this.pitch * (this.height + 2 * this.margin);
    if (this.pixels.length === length) this.pixels.fill(0);
    else this.pixels = new Uint32Array(length);
  }

  private passes(frame: Frame): Pass[] {
    const { size, alpha, fade, flagged, selected, dpr, every } = frame;
    const discs = cut(disc(size * dpr), (size * dpr) / 2, this.pitch);
    const strong = Math.max(alpha, frame.ring.alpha);
    const ringed = { stamp: discs, every: 1, rows: flagged, ring: this.ringOf(frame, strong) };
    const base = { stamp: discs, every: 1, ring: null };
    const passes: Pass[] = [{ ...base, rows: null, every, alpha: thinned(alpha, every), fade }];
    if (fade < 1)
      passes.push({ ...base, rows: selected, alpha: Math.max(alpha, TOP_ALPHA), fade: 1 });
    passes.push({ ...ringed, alpha: strong, fade: Math.sqrt(fade) });
    return passes;
  }

  private ringOf({ ring: { radius, line, color, alpha }, dpr }: Frame, strong: number): RingStamp {
    return {
      stamp: cut(ring(radius * dpr, line * dpr), radius * dpr, this.pitch),
      color: pack(...color),
      alpha: Math.round((256 * alpha) / strong),
    };
  }

  private press(scene: Scene, frame: Frame, pass: Pass): void {
    const { view, dpr } = frame;
    const { rows, every, stamp, ring } = pass;
    const reach = ring ? ring.stamp.reach : stamp.reach;
    const { xy, codes, states } = scene;
    const from = frame.settled < 1 ? scene.from : null;
    const colors = colorsOf(scene);
    const strengths = strengthsOf(scene, pass, frame.only);
    const last = colors.length - 1;
    const [kx, ky] = [(view.kx * dpr) / 65535, (view.ky * dpr) / 65535];
    const left = view.tx * dpr + this.margin;
    const top = view.ty * dpr + this.margin;
    const right = this.pitch - reach;
    const bottom = this.height + 2 * this.margin - reach;
    const count = rows ? rows.length : scene.rows;
    for (let i = 0; i < count; i += every) {
      const row = rows ? (rows[i] as number) : i;
      const state = states[row] as number;
      if (state & HIDDEN) continue;
      let ux = xy[2 * row] as number;
      let uy = xy[2 * row + 1] as number;
      if (from) {
        ux = (from[2 * row] as number) * (1 - frame.settled) + ux * frame.settled;
        uy = (from[2 * row + 1] as number) * (1 - frame.settled) + uy * frame.settled;
      }
      const x = left + ux * kx;
      const y = top - uy * ky;
      if (x < reach || y < reach || x >= right || y >= bottom) continue;
      const code = Math.min(codes[row] as number, last);
      const strength = strengths[code * 8 + (state & 7)] as number;
      if (strength === 0) continue;
      this.stamp(stamp, x, y, colors[code] as number, strength);
      if (ring) this.stamp(ring.stamp, x, y, ring.color, (strength * ring.alpha) >> 8);
    }
  }

  private stamp(stamp: Stamp, x: number, y: number, color: number, strength: number): void {
    const { pixels } = this;
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const phase = (((y - row) * PHASES) | 0) * PHASES + (((x - column) * PHASES) | 0);
    const offsets = stamp.offsets[phase] as Int32Array;
    const covers = stamp.covers[phase] as Uint16Array;
    const at = row * this.pitch + column;
    for (let i = 0; i < offsets.length; i++) {
      const place = at + (offsets[i] as number);
      const alpha = (strength * (covers[i] as number)) >> 8;
      const under = pixels[place] as number;
      const rest = 256 - alpha;
      const even = (Math.imul(color & LOW, alpha) + Math.imul(under & LOW, rest)) >>> 8;
      const odd = Math.imul((color >>> 8) & LOW, alpha) + Math.imul((under >>> 8) & LOW, rest);
      pixels[place] = (even & LOW) | (odd & ~LOW);
    }
  }

  private show(target: CanvasRenderingContext2D): void {
    const { width, height, margin, pitch } = this;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
    }
    const out = new Uint32Array(this.image.data.buffer);
    for (let y = 0; y < height; y++) {
      const at = (y + margin) * pitch + margin;
      unmultiply(this.pixels, at, out, y * width, width);
    }
    target.putImageData(this.image, 0, 0);
  }

  dispose(): void {
    this.pixels = new Uint32Array(0);
    this.image = null;
  }
}

function pack(red: number, green: number, blue: number): number {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function colorsOf({ palette }: Scene): Uint32Array {
  const part = (i: number) => palette[i] as number;
  return Uint32Array.from({ length: palette.length / 4 }, (_, i) =>
    pack(part(4 * i), part(4 * i + 1), part(4 * i + 2)),
  );
}

/** Opacity 0 … 256 by class and state. */
function strengthsOf({ palette }: Scene, { alpha, fade }: Pass, only: number): Uint16Array {
  return Uint16Array.from({ length: palette.length * 2 }, (_, i) => {
    const own = (palette[(i >> 3) * 4 + 3] as number) / 255;
    const faded = i & SELECTED ? 1 : fade;
    const dimmed = (i & only) === only ? 1 : DIMMED;
    return Math.round(256 * own * alpha * faded * dimmed);
  });
}

function unmultiply(
  from: Uint32Array,
  at: number,
  to: Uint32Array,
  start: number,
  n: number,
): void {
  for (let i = 0; i < n; i++) {
    const pixel = from[at + i] as number;
    const alpha = pixel >>> 24;
    if (alpha === 0 || alpha === 255) {
      to[start + i] = pixel;
      continue;
    }
    const up = 255 / alpha;
    const red = Math.min(255, (pixel & 255) * up);
    const green = Math.min(255, ((pixel >>> 8) & 255) * up);
    const blue = Math.min(255, ((pixel >>> 16) & 255) * up);
    to[start + i] = ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  }
}
