import type { Center } from "../../points/centers";
import type { Size } from "../../points/picture";
import { toPixel, type Viewport } from "../../points/viewport";
import type { Pixel } from "./gestures";

export interface OverlayColors {
  readonly text: string;
  readonly halo: string;
  readonly accent: string;
  readonly tint: string;
  readonly font: string;
}

export interface OverlayContent {
  readonly names: readonly { readonly center: Center; readonly name: string }[];
  /** pixels */
  readonly path: readonly Pixel[];
  /** corners of the last lasso, in the unit square */
  readonly trace: readonly Pixel[];
  readonly current: Pixel | null;
  readonly hovered: Pixel | null;
  readonly radius: number;
}

const LONGEST_NAME = 22;
const GAP = 4;

/** What lies over the points: names, the lasso, and rings around the current and hovered rows. */
export class Overlay {
  readonly canvas = document.createElement("canvas");
  private readonly context = this.canvas.getContext("2d");

  draw(view: Viewport, size: Size, content: OverlayContent, colors: OverlayColors): void {
    const { context } = this;
    if (!context) return;
    this.clear(context, size);
    const trace = content.trace.map(([x, y]) => toPixel(view, x, y));
    drawPath(context, content.path.length > 0 ? content.path : trace, colors);
    drawNames(context, view, size, content, colors);
    if (content.hovered) drawHovered(context, view, content.hovered, content.radius, colors);
    if (content.current) drawCurrent(context, view, content.current, content.radius, colors);
  }

  private clear(context: CanvasRenderingContext2D, { width, height }: Size): void {
    const dpr = globalThis.devicePixelRatio || 1;
    const [w, h] = [Math.round(width * dpr), Math.round(height * dpr)];
    if (this.canvas.width !== w) this.canvas.width = w;
    if (this.canvas.height !== h) this.canvas.height = h;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.clearRect(0, 0, width, height);
  }
}

function drawPath(
  context: CanvasRenderingContext2D,
  path: readonly Pixel[],
  colors: OverlayColors,
): void {
  if (path.length < 2) return;
  context.beginPath();
  for (const [x, y] of path) context.lineTo(x, y);
  context.closePath();
  context.fillStyle = colors.tint;
  context.fill();
  context.strokeStyle = colors.accent;
  context.lineWidth = 1.5;
  context.setLineDash([4, 3]);
  context.stroke();
  context.setLineDash([]);
}

interface Placed {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

function drawNames(
  context: CanvasRenderingContext2D,
  view: Viewport,
  { width, height }: Size,
  { names }: OverlayContent,
  colors: OverlayColors,
): void {
  context.font = colors.font;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const placed: Placed[] = [];
  for (const { center, name } of names) {
    const [x, y] = toPixel(view, center.x, center.y);
    if (x < 0 || y < 0 || x > width || y > height) continue;
    const text = shorten(name);
    const half = context.measureText(text).width / 2 + GAP;
    const box = { x0: x - half, x1: x + half, y0: y - 9, y1: y + 9 };
    if (placed.some((other) => overlap(box, other))) continue;
    placed.push(box);
    drawName(context, text, x, y, colors);
  }
}

function drawName(
  context: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colors: OverlayColors,
): void {
  context.globalAlpha = 0.92;
  context.strokeStyle = colors.halo;
  context.lineWidth = 4;
  context.strokeText(text, x, y);
  context.globalAlpha = 1;
  context.fillStyle = colors.text;
  context.fillText(text, x, y);
}

function shorten(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}

function overlap(a: Placed, b: Placed): boolean {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

function drawCurrent(
  context: CanvasRenderingContext2D,
  view: Viewport,
  [ux, uy]: Pixel,
  radius: number,
  { accent, halo }: OverlayColors,
): void {
  const [x, y] = toPixel(view, ux, uy);
  ringed(context, x, y, radius + 5, 4.5, halo);
  ringed(context, x, y, radius + 5, 2.5, accent);
}

function drawHovered(
  context: CanvasRenderingContext2D,
  view: Viewport,
  [ux, uy]: Pixel,
  radius: number,
  { text, halo }: OverlayColors,
): void {
  const [x, y] = toPixel(view, ux, uy);
  ringed(context, x, y, radius + 3.5, 3.5, halo);
  ringed(context, x, y, radius + 3.5, 1.5, text);
}

function ringed(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  line: number,
  color: string,
): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = line;
  context.strokeStyle = color;
  context.stroke();
}
