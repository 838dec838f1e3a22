import { between, type Viewport } from "./viewport";

const PULL = 70;
const SETTLE = 700;

/** Eases the view to where it should be. */
export class Glide {
  target: Viewport | null = null;
  private last = 0;

  start(target: Viewport): void {
    if (!this.target) this.last = performance.now();
    this.target = target;
  }

  step(view: Viewport, now: number): Viewport {
    if (!this.target) return view;
    const share = 1 - Math.exp(-Math.max(now - this.last, 8) / PULL);
    this.last = now;
    const next = between(view, this.target, share);
    if (!arrived(next, this.target)) return next;
    const end = this.target;
    this.target = null;
    return end;
  }
}

function arrived(a: Viewport, b: Viewport): boolean {
  const scale = Math.abs(a.kx - b.kx) / b.kx + Math.abs(a.ky - b.ky) / b.ky;
  return scale < 0.002 && Math.hypot(a.tx - b.tx, a.ty - b.ty) < 0.5;
}

/** From old coordinates to new ones, slow at both ends. */
export class Settling {
  private started = -1;

  start(): void {
    this.started = performance.now();
  }

  share(now: number): number {
    if (this.started < 0) return 1;
    const t = Math.min(Math.max((now - this.started) / SETTLE, 0), 1);
    if (t === 1) this.started = -1;
    return t * t * (3 - 2 * t);
  }
}

/** Run when nothing else waits; Safari has no idle callbacks. */
export function idle(task: () => void, stop: AbortSignal): void {
  const run = () => {
    if (!stop.aborted) task();
  };
  if (globalThis.requestIdleCallback) globalThis.requestIdleCallback(run, { timeout: 1500 });
  else setTimeout(run, 200);
}
