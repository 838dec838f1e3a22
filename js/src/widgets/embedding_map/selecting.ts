import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { countBits, sameRows } from "../../points/bits";
import { asError } from "../../session/items";
import type { Actions, State } from "../../session/state";
import { tight } from "../../wire/bytes";
import { isAborted } from "../../wire/channel";

const PATIENCE = 2000;

/** The selection as drawn: what was just asked for until the kernel has said what it is. */
export class Selecting {
  readonly shown: ReadonlySignal<Uint8Array>;
  /** what the kernel says; the same array while it names the same rows */
  readonly known: ReadonlySignal<Uint8Array>;
  readonly count: ReadonlySignal<number>;
  /** whether the kernel knows what is shown */
  readonly settled: ReadonlySignal<boolean>;
  private readonly asked = signal<Uint8Array | null>(null);
  private patience: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly state: State,
    private readonly actions: Actions,
    private readonly stop: AbortSignal,
  ) {
    this.known = stable(state.selected);
    this.shown = computed(() => this.asked.value ?? this.known.value);
    this.settled = computed(() => this.asked.value === null);
    this.count = computed(() =>
      this.asked.value ? countBits(this.asked.value) : state.selected_count.value,
    );
    const unfollow = effect(() => {
      if (state.selected.value) this.asked.value = null;
    });
    stop.addEventListener("abort", () => this.dispose(unfollow), { once: true });
  }

  private dispose(unfollow: () => void): void {
    unfollow();
    clearTimeout(this.patience);
  }

  clear(): Promise<void> {
    return this.choose(new Uint8Array(0), "map");
  }

  async choose(bitmap: Uint8Array, source: string): Promise<void> {
    if (this.state.connection.peek() === "gone") return;
    this.asked.value = bitmap;
    try {
      const revision = this.state.revision.peek();
      const buffers = bitmap.length > 0 ? [tight(bitmap)] : [];
      await this.actions.request("select", { revision, source }, buffers, this.stop);
      this.waitFor(bitmap);
    } catch (reason) {
      this.giveUp(bitmap);
      if (!isAborted(reason)) this.state.error.value = asError(reason);
    }
  }

  /** The trait normally comes before the answer; a kernel that chose otherwise wins in the end. */
  private waitFor(bitmap: Uint8Array): void {
    if (sameRows(bitmap, this.state.selected.peek())) this.giveUp(bitmap);
    clearTimeout(this.patience);
    this.patience = setTimeout(() => this.giveUp(bitmap), PATIENCE);
  }

  private giveUp(bitmap: Uint8Array): void {
    if (this.asked.peek() === bitmap) this.asked.value = null;
  }
}

function stable(bitmap: ReadonlySignal<Uint8Array>): ReadonlySignal<Uint8Array> {
  let last = bitmap.peek();
  return computed(() => {
    if (!sameRows(last, bitmap.value)) last = bitmap.value;
    return last;
  });
}
