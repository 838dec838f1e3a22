import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Requests, SummaryResult } from "../../contract";
import { asError } from "../../session/items";
import type { Actions, State } from "../../session/state";
import { type Arguments, isAborted } from "../../wire/channel";
import type { Selecting } from "./selecting";

type BulkAct = "relabel" | "drop" | "mark";

/** What can be done to all selected rows, and what it would change. */
export class Bulk {
  /** of the selection the kernel knows; null while it is being counted */
  readonly summary = signal<SummaryResult | null>(null);
  /** the class chosen for the rows */
  readonly to = signal<string | null>(null);
  readonly working = signal(false);
  private readonly acted: ReadonlySignal<number | undefined>;
  private counting: AbortController | null = null;

  constructor(
    private readonly state: State,
    private readonly actions: Actions,
    private readonly selecting: Selecting,
    private readonly stop: AbortSignal,
  ) {
    this.acted = computed(() => state.last_action.value?.seq);
    const unfollow = effect(() => this.follow());
    const unchoose = effect(() => {
      if (selecting.count.value === 0) this.to.value = null;
    });
    stop.addEventListener("abort", () => [unfollow, unchoose].map((end) => end()), { once: true });
    stop.addEventListener("abort", () => this.counting?.abort(), { once: true });
  }

  private follow(): void {
    const { selecting } = this;
    const to = this.to.value;
    selecting.known.value;
    this.acted.value;
    this.counting?.abort();
    if (!selecting.settled.value || selecting.count.value === 0) this.summary.value = null;
    else void this.count(to);
  }

  private async count(to: string | null): Promise<void> {
    const counting = new AbortController();
    this.counting = counting;
    try {
      const { result } = await this.actions.request("summary", { to }, [], counting.signal);
      if (!counting.signal.aborted) this.summary.value = result;
    } catch (reason) {
      this.fail(reason);
    }
  }

  async relabel(): Promise<void> {
    const to = this.to.peek();
    if (to === null) return;
    const done = await this.act("relabel", { rows: null, to, reason: null, advance: false });
    if (done) this.to.value = null;
  }

  drop(): Promise<boolean> {
    return this.act("drop", { rows: null, reason: null, advance: false });
  }

  mark(name: string): Promise<boolean> {
    return this.act("mark", { rows: null, name });
  }

  private async act<K extends BulkAct>(kind: K, args: Arguments<K>): Promise<boolean> {
    if (this.working.peek()) return false;
    this.working.value = true;
    try {
      await this.actions.request<K & keyof Requests>(kind, args, [], this.stop);
      this.state.error.value = null;
      return true;
    } catch (reason) {
      this.fail(reason);
      return false;
    } finally {
      this.working.value = false;
    }
  }

  private fail(reason: unknown): void {
    if (!isAborted(reason)) this.state.error.value = asError(reason);
  }
}
