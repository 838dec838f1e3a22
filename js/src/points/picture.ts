import { rowsOf, sameNumbers } from "./bits";
import { type Cloud, lookAt, ringAt, survey } from "./density";
import { buildGrid, type Grid } from "./grid";
import { rowsInside } from "./lasso";
import { Glide, idle, Settling } from "./motion";
import { Pace, Thinned } from "./pace";
import type { Frame, Painter, Rgb } from "./painter";
import { webglPainter } from "./painters";
import { nearest } from "./pick";
import { FLAGGED, HIDDEN, Scene, SELECTED } from "./scene";
import { SoftwarePainter } from "./software_painter";
import { fitTo, type Insets, panBy, rehome, type Viewport, zoomAt } from "./viewport";

const FADE = 0.16;
const REST = 140;
const NO_ROWS = new Uint32Array(0);
const START: Viewport = { kx: 1, ky: 1, tx: 0, ty: 0 };

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The points of one view: what they are, how they are looked at, and when they are drawn. */
export class Picture {
  readonly scene = new Scene();
  readonly canvas = document.createElement("canvas");
  /** called after each drawn frame */
  onFrame: (view: Viewport, size: Size) => void = () => {};
  /** only flagged points stay full */
  onlyFlagged = false;
  ringColor: Rgb = [27, 31, 36];
  private insets: Insets = { top: 56, right: 24, bottom: 24, left: 24 };
  stretch = 1;
  reducedMotion = false;
  view: Viewport = START;
  size: Size = { width: 0, height: 0 };
  private home: Viewport = START;
  private cloud: Cloud = { shown: 0, box: null, density: 0 };
  private flagged: Uint32Array = NO_ROWS;
  private selected: Uint32Array = NO_ROWS;
  private grid: Grid | null = null;
  private readonly software = new SoftwarePainter();
  private painter: Painter = this.software;
  private upgraded = false;
  private readonly target: CanvasRenderingContext2D | null;
  private readonly glide = new Glide();
  private readonly settling = new Settling();
  private readonly pace = new Pace();
  private surveyed = false;
  private readonly thin = new Thinned();
  private request = 0;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private moving = false;

  constructor(private readonly stop: AbortSignal) {
    this.target = this.canvas.getContext("2d");
    stop.addEventListener("abort", () => this.dispose(), { once: true });
  }

  setPoints(xy: Uint16Array): void {
    const before = this.scene.xy;
    if (sameNumbers(before, xy)) return;
    this.scene.setPoints(xy);
    this.grid = null;
    if (before.length === xy.length && xy.length > 0 && !this.reducedMotion) {
      this.scene.from = before;
      this.settling.start();
    }
    this.changeCloud();
    idle(() => this.index(), this.stop);
  }

  setHidden(bitmap: Uint8Array): void {
    if (this.scene.setState(HIDDEN, bitmap)) this.changeCloud();
  }

  setFlagged(bitmap: Uint8Array): void {
    this.scene.setState(FLAGGED, bitmap);
    this.flagged = rowsOf(bitmap, this.scene.rows);
    this.invalidate();
  }

  setSelected(bitmap: Uint8Array): void {
    this.scene.setState(SELECTED, bitmap);
    this.selected = rowsOf(bitmap, this.scene.rows);
    this.invalidate();
  }

  setCodes(head: Uint16Array, rows: Uint32Array, codes: Uint16Array): void {
    this.scene.setCodes(head, rows, codes);
    this.invalidate();
  }

  setPalette(palette: Uint8Array): void {
    this.scene.setPalette(palette);
    this.invalidate();
  }

  /** Paints at once: a resized canvas is empty. */
  resize(size: Size): void {
    if (size.width === this.size.width && size.height === this.size.height) return;
    this.size = size;
    if (this.surveyed) this.rehome(true);
    cancelAnimationFrame(this.request);
    this.request = 0;
    this.tick(performance.now());
  }

  /** Leave room at the edges for what floats over the picture. */
  reserve(right: number): void {
    if (right === this.insets.right) return;
    this.insets = { ...this.insets, right };
    this.rehome(true);
    this.invalidate();
  }

  private changeCloud(): void {
    this.surveyed = false;
    this.invalidate();
  }

  private resurvey(): void {
    this.surveyed = true;
    this.cloud = survey(this.scene.xy, (row) => !this.scene.has(row, HIDDEN));
    this.rehome(false);
  }

  private rehome(jump: boolean): void {
    const { width, height } = this.size;
    if (!this.cloud.box || width === 0 || height === 0) return;
    const before = this.home;
    this.home = fitTo(this.cloud.box, width, height, this.insets, this.stretch);
    const view = rehome(this.view, before, this.home, width / 2, height / 2);
    if (before === START || jump) this.view = view;
    else this.glideTo(view);
  }

  zoomBy(factor: number, x = this.size.width / 2, y = this.size.height / 2): void {
    const from = this.glide.target ?? this.view;
    this.glideTo(zoomAt(from, this.home, x, y, factor));
  }

  /** Follows the fingers: no easing. */
  pinch(factor: number, x: number, y: number): void {
    this.glide.target = null;
    this.view = zoomAt(this.view, this.home, x, y, factor);
    this.move();
  }

  pan(dx: number, dy: number): void {
    this.glide.target = null;
    this.view = panBy(this.view, dx, dy);
    this.move();
  }

  reset(): void {
    this.glideTo(this.home);
  }

  private glideTo(target: Viewport): void {
    if (this.reducedMotion) this.view = target;
    else this.glide.start(target);
    this.move();
  }

  /** The row at a pixel, or -1. */
  rowAt(x: number, y: number, reach = 6): number {
    if (this.scene.rows === 0) return -1;
    const { kx, ky } = this.view;
    const [px, py] = this.toPlane(x, y);
    const radius = Math.max(reach, this.pointSize / 2 + 2);
    const probe = { x: px, y: py, kx: kx / 65535, ky: ky / 65535, radius };
    return nearest(this.index(), probe, (row) => this.isShown(row));
  }

  /** The shown rows inside a polygon of pixels, as a bitmap. */
  rowsInside(pixels: readonly (readonly [number, number])[]): Uint8Array<ArrayBuffer> {
    const polygon = Float64Array.from(pixels.flatMap(([x, y]) => this.toPlane(x, y)));
    return rowsInside(this.index(), polygon, (row) => this.isShown(row));
  }

  /** diameter of a point at this zoom */
  get pointSize(): number {
    return lookAt(this.cloud, this.view.kx * this.view.ky).size;
  }

  private toPlane(x: number, y: number): [number, number] {
    const { kx, ky, tx, ty } = this.view;
    return [((x - tx) / kx) * 65535, ((ty - y) / ky) * 65535];
  }

  /** Not hidden, and not filtered out by the legend. */
  isShown(row: number): boolean {
    const { scene } = this;
    if (scene.has(row, HIDDEN) || (this.onlyFlagged && !scene.has(row, FLAGGED))) return false;
    return scene.alphaOf(row) > 127;
  }

  private index(): Grid {
    this.grid ??= buildGrid(this.scene.xy);
    return this.grid;
  }

  private move(): void {
    this.moving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.settle(), REST);
    this.invalidate();
  }

  private settle(): void {
    this.moving = false;
    if (this.glide.target) this.move();
    else this.invalidate();
  }

  invalidate(): void {
    if (this.request === 0 && !this.stop.aborted) {
      this.request = requestAnimationFrame((now) => this.tick(now));
    }
  }

  private tick(now: number): void {
    this.request = 0;
    this.view = this.glide.step(this.view, now);
    this.paint(now);
    if (this.glide.target || this.scene.from) this.invalidate();
  }

  private paint(now: number): void {
    const { size, target, scene } = this;
    if (size.width === 0 || size.height === 0) return;
    if (!this.surveyed) this.resurvey();
    if (!target) return;
    const settled = this.settling.share(now);
    if (settled === 1) scene.from = null;
    const start = performance.now();
    const frame = this.frame(settled);
    this.fitCanvas(frame.dpr);
    if (!this.painter.paint(scene, frame, target)) this.software.paint(scene, frame, target);
    this.upgrade();
    if (frame.every > 1 || this.moving) this.pace.took(performance.now() - start);
    this.onFrame(this.view, size);
  }

  /** Starting WebGL takes a while, so the first picture does not wait for it. */
  private upgrade(): void {
    if (this.upgraded) return;
    this.upgraded = true;
    idle(() => {
      const painter = webglPainter(() => this.invalidate());
      if (!painter) return;
      this.software.dispose();
      this.painter = painter;
      this.scene.touch();
    }, this.stop);
  }

  private fitCanvas(dpr: number): void {
    const width = Math.round(this.size.width * dpr);
    const height = Math.round(this.size.height * dpr);
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
  }

  private frame(settled: number): Frame {
    const { view, size, scene, flagged, selected } = this;
    const area = view.kx * view.ky;
    const look = lookAt(this.cloud, area);
    const inMotion = this.moving || settled < 1;
    const every = inMotion ? this.pace.every(scene.rows) : 1;
    return {
      ...size,
      ...look,
      dpr: globalThis.devicePixelRatio || 1,
      view,
      fade: selected.length > 0 ? FADE : 1,
      only: this.onlyFlagged ? FLAGGED : 0,
      flagged: this.thin.of(flagged, every),
      selected,
      ring: { ...ringAt(this.cloud, look, flagged.length, area), color: this.ringColor },
      settled,
      every,
    };
  }

  private dispose(): void {
    cancelAnimationFrame(this.request);
    clearTimeout(this.rest);
    this.painter.dispose();
    this.canvas.width = 0;
  }
}
