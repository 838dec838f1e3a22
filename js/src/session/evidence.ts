import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Evidence } from "../contract";
import { isAborted } from "../wire/channel";
import { asError, type Items } from "./items";
import type { Actions, State } from "./state";

export interface Known {
  evidence: Evidence;
  buffers: DataView[];
}

/** milliseconds that a row stays before its evidence is asked for: who decides faster needs none */
const SETTLE = 80;

/** What speaks for and against the current finding; asked for once the row itself is shown. */
export class EvidenceFeed {
  /** Of the row in it, which may not be the current one yet. */
  readonly known = signal<Known | null>(null);
  /** Changes when what was asked for may be out of date; the row first, null before it is shown. */
  readonly stamp: ReadonlySignal<string | null>;
  readonly #actions: Actions;
  readonly #state: State;

  constructor(state: State, actions: Actions, items: Items) {
    this.#state = state;
    this.#actions = actions;
    this.stamp = computed(() => {
      const row = state.current.value;
      if (row < 0 || items.shown.value?.item.preview.row !== row) return null;
      return `${row} ${items.stamp.value} ${state.evidence_seq.value}`;
    });
  }

  /** Ask for what the stamp names; returns what gives it up. */
  follow(): () => void {
    const stop = new AbortController();
    if (this.stamp.peek() === null) return () => undefined;
    const row = this.#state.current.peek();
    const timer = setTimeout(() => void this.#load(row, stop.signal), SETTLE);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }

  async #load(row: number, stop: AbortSignal): Promise<void> {
    try {
      const { result, buffers } = await this.#actions.request("evidence", { row }, [], stop);
      this.known.value = { evidence: result.evidence, buffers };
    } catch (reason) {
      if (!isAborted(reason)) this.#state.error.value = asError(reason);
    }
  }
}
