import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Item } from "../contract";
import { isAborted } from "../wire/channel";
import type { Actions, State } from "./state";

export interface Loaded {
  item: Item;
  image: DataView | null;
}

/** Rows in full, asked for again when an act may have changed them. */
export class Items {
  /** The row last loaded: stays while the next one is on its way. */
  readonly shown = signal<Loaded | null>(null);
  /** Changes when what was loaded may be out of date. */
  readonly stamp: ReadonlySignal<string>;
  readonly #state: State;
  readonly #actions: Actions;
  #key = "";
  #pending: Promise<Loaded> | null = null;

  constructor(state: State, actions: Actions) {
    this.#state = state;
    this.#actions = actions;
    this.stamp = computed(() =>
      [
        state.revision.value,
        state.last_action.value?.seq,
        state.queue.value?.id,
        state.queue.value?.seq,
        state.status.value.version,
      ].join(" "),
    );
  }

  /** The current row, from memory when nothing changed. */
  current(): Promise<Loaded> | null {
    const row = this.#state.current.peek();
    if (row < 0) return null;
    const key = `${row} ${this.stamp.peek()}`;
    if (key !== this.#key || this.#pending === null) {
      this.#key = key;
      this.#pending = this.#load(row);
    }
    return this.#pending;
  }

  /** Load the current row and show it, unless another one became current meanwhile. */
  async refresh(): Promise<void> {
    const pending = this.current();
    if (pending === null) {
      this.shown.value = null;
      return;
    }
    try {
      const loaded = await pending;
      if (pending === this.#pending) this.shown.value = loaded;
    } catch (reason) {
      if (pending !== this.#pending || isAborted(reason)) return;
      this.#pending = null;
      this.#state.error.value = asError(reason);
    }
  }

  async #load(row: number): Promise<Loaded> {
    const { result, buffers } = await this.#actions.request("item", { row });
    const { item } = result;
    const { image } = item.preview;
    return { item, image: image === null ? null : (buffers[image] ?? null) };
  }
}

export function asError(reason: unknown): { code: string; message: string; hint: string } {
  const { code, message, hint } = (reason ?? {}) as Partial<Record<string, unknown>>;
  return {
    code: typeof code === "string" ? code : "unexpected",
    message: typeof message === "string" ? message : String(reason),
    hint: typeof hint === "string" ? hint : "",
  };
}
