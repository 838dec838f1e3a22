import { signal } from "@preact/signals";
import type { Picture } from "../../points/picture";

export type Mode = "lasso" | "box" | "pan";
export type Pixel = readonly [x: number, y: number];

const CLICK = 4;
const STEP = 2;

export interface Gestures {
  onSelect(corners: readonly Pixel[], mode: "lasso" | "box"): void;
  onClick(at: Pixel): void;
  onHover(at: Pixel | null): void;
  onReset(): void;
}

type Drag =
  | { kind: "pan"; last: Pixel; from: Pixel; far: boolean }
  | { kind: "lasso" | "box"; from: Pixel; far: boolean };

/** Turns the pointer over the map into looking and selecting. */
export class Pointer {
  readonly mode = signal<Mode>("lasso");
  /** corners of the lasso or box on its way */
  readonly path = signal<readonly Pixel[]>([]);
  readonly panning = signal(false);
  /** the space bar makes any drag a pan */
  space = false;
  private drag: Drag | null = null;
  private readonly fingers = new Map<number, Pixel>();
  private armed = false;

  constructor(
    private readonly surface: HTMLElement,
    private readonly picture: Picture,
    private readonly gestures: Gestures,
    stop: AbortSignal,
  ) {
    const on = <K extends keyof HTMLElementEventMap>(
      name: K,
      handle: (event: HTMLElementEventMap[K]) => void,
    ) => surface.addEventListener(name, handle, { signal: stop, passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancel(event));
    on("pointerleave", () => this.left());
    on("wheel", (event) => this.wheel(event));
    on("dblclick", () => gestures.onReset());
    on("auxclick", (event) => event.preventDefault());
  }

  private at(event: MouseEvent): Pixel {
    const box = this.surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private down(event: PointerEvent): void {
    if (event.button > 1) return;
    if (event.button === 1) event.preventDefault();
    const at = this.at(event);
    this.surface.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, at);
    this.gestures.onHover(null);
    if (this.fingers.size > 1) this.abandon();
    else this.begin(at, event.button === 1 || this.space);
  }

  private begin(at: Pixel, forcePan: boolean): void {
    const mode = forcePan ? "pan" : this.mode.peek();
    this.panning.value = mode === "pan";
    if (mode === "pan") this.drag = { kind: "pan", last: at, from: at, far: false };
    else this.drag = { kind: mode, from: at, far: false };
  }

  private moved(event: PointerEvent): void {
    const at = this.at(event);
    if (event.movementX !== 0 || event.movementY !== 0) this.armed = true;
    if (this.fingers.size > 1) this.pinch(event.pointerId, at);
    else if (this.drag) this.dragTo(this.drag, at);
    else if (event.buttons === 0) this.gestures.onHover(at);
  }

  private dragTo(drag: Drag, at: Pixel): void {
    drag.far ||= distance(drag.from, at) > CLICK;
    if (drag.kind === "pan") {
      this.picture.pan(at[0] - drag.last[0], at[1] - drag.last[1]);
      drag.last = at;
    } else if (drag.far) {
      this.path.value = drag.kind === "box" ? boxOf(drag.from, at) : this.extended(drag.from, at);
    }
  }

  private extended(from: Pixel, at: Pixel): readonly Pixel[] {
    const path = this.path.peek();
    const last = path.at(-1) ?? from;
    if (path.length > 0 && distance(last, at) < STEP) return path;
    return path.length === 0 ? [from, at] : [...path, at];
  }

  private pinch(id: number, at: Pixel): void {
    const other = [...this.fingers].find(([finger]) => finger !== id)?.[1];
    const before = this.fingers.get(id);
    if (!other || !before) return;
    const factor = distance(at, other) / Math.max(distance(before, other), 1);
    this.picture.pinch(factor, (at[0] + other[0]) / 2, (at[1] + other[1]) / 2);
    this.picture.pan((at[0] - before[0]) / 2, (at[1] - before[1]) / 2);
    this.fingers.set(id, at);
  }

  private up(event: PointerEvent): void {
    const drag = this.drag;
    const path = this.path.peek();
    this.cancel(event);
    if (!drag) return;
    if (!drag.far) this.gestures.onClick(this.at(event));
    else if (drag.kind !== "pan" && path.length > 2) this.gestures.onSelect(path, drag.kind);
  }

  private cancel(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    this.abandon();
  }

  /** Give up what is being drawn; true when there was something. */
  abandon(): boolean {
    const drawing = this.drag !== null && this.drag.kind !== "pan" && this.drag.far;
    this.drag = null;
    this.path.value = [];
    this.panning.value = false;
    return drawing;
  }

  private left(): void {
    this.armed = false;
    if (!this.drag) this.gestures.onHover(null);
  }

  /** A page that is being scrolled past the map scrolls on: the pointer has not moved over it. */
  private wheel(event: WheelEvent): void {
    if (!this.armed && !event.ctrlKey) return;
    event.preventDefault();
    const [x, y] = this.at(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const speed = event.ctrlKey ? 0.01 : 0.0018;
    this.gestures.onHover(null);
    this.picture.zoomBy(Math.exp(-event.deltaY * lines * speed), x, y);
  }
}

export function boxOf([x0, y0]: Pixel, [x1, y1]: Pixel): readonly Pixel[] {
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ];
}

function distance(a: Pixel, b: Pixel): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}
