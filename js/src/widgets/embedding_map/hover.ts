import { signal } from "@preact/signals";
import type { Preview } from "../../contract";
import type { Actions } from "../../session/state";
import type { Pixel } from "./gestures";

const REST = 70;

export interface Hovered {
  readonly row: number;
  readonly at: Pixel;
  readonly preview: Preview | null;
  readonly image: DataView | null;
}

/** The row under the pointer and, once the pointer rests, what it looks like. */
export class Hover {
  readonly over = signal<Hovered | null>(null);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private request: AbortController | null = null;

  constructor(
    private readonly actions: Actions,
    stop: AbortSignal,
  ) {
    stop.addEventListener("abort", () => this.leave(), { once: true });
  }

  at(row: number, at: Pixel): void {
    if (this.over.peek()?.row === row) return;
    this.leave();
    if (row < 0) return;
    this.over.value = { row, at, preview: null, image: null };
    this.timer = setTimeout(() => void this.ask(row), REST);
  }

  leave(): void {
    clearTimeout(this.timer);
    this.request?.abort();
    this.request = null;
    this.over.value = null;
  }

  private async ask(row: number): Promise<void> {
    const request = new AbortController();
    this.request = request;
    try {
      const { result, buffers } = await this.actions.request("peek", { row }, [], request.signal);
      const over = this.over.peek();
      if (request.signal.aborted || over?.row !== row) return;
      const { preview } = result;
      const image = preview.image === null ? null : (buffers[preview.image] ?? null);
      this.over.value = { ...over, preview, image };
    } catch {
      if (this.over.peek()?.row === row) this.leave();
    }
  }
}
