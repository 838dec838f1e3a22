import { signal } from "@preact/signals";
import type { CommitResult, Requests, WireError } from "../contract";
import { type Arguments, isAborted } from "../wire/channel";
import { EvidenceFeed } from "./evidence";
import { asError, Items, type Loaded } from "./items";
import type { Command } from "./keymap";
import type { Actions, State } from "./state";

type Act = "relabel" | "decide" | "drop" | "restore" | "mark" | "undo" | "redo" | "step" | "focus";

/**
 * What a person can do, one after the other: a key pressed while an act is on its way waits for it
 * and then applies to the row that is current by then.
 */
export class Acts {
  readonly items: Items;
  readonly evidence: EvidenceFeed;
  readonly help = signal(false);
  readonly class_search = signal(false);
  /** Where the commit panel is open. */
  readonly commit_open = signal<"header" | "form" | null>(null);
  readonly undecided_only = signal(false);
  readonly reason = signal("");
  /** Said to screen readers, and shown where an act has no picture of its own. */
  readonly notice = signal("");
  /** What a view does about commands of its own. */
  own: ((command: Command) => Promise<void>) | null = null;
  readonly #state: State;
  readonly #actions: Actions;
  #tail: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(state: State, actions: Actions) {
    this.#state = state;
    this.#actions = actions;
    this.items = new Items(state, actions);
    this.evidence = new EvidenceFeed(state, actions, this.items);
  }

  run(command: Command): Promise<void> {
    switch (command.name) {
      case "step":
        return this.step(command.by);
      case "accept":
        return this.accept();
      case "decide":
        return this.decide(command.verdict);
      case "relabel":
        return this.relabel(command.to);
      case "drop":
        return this.toggleDropped();
      case "undo":
        return this.undo();
      case "redo":
        return this.redo();
      case "search_class":
        this.class_search.value = !this.class_search.value;
        return this.#tail;
      case "help":
        this.help.value = !this.help.value;
        return this.#tail;
      default:
        return this.own?.(command) ?? this.#tail;
    }
  }

  /** Look at a version in all widgets, null for the working copy. */
  view(id: string | null): Promise<void> {
    return this.#enqueue(async () => {
      await this.#actions.request("view", { version: id });
      if (id === null) this.notice.value = `Back on ${this.#state.status.peek().branch}`;
    });
  }

  /** Resolves to null when it was refused; the error bar then says why. */
  async revert(id: string): Promise<CommitResult | null> {
    let done: CommitResult | null = null;
    await this.#enqueue(async () => {
      done = (await this.#actions.request("revert", { version: id })).result;
    });
    return done;
  }

  step(by: 1 | -1): Promise<void> {
    const undecided = this.undecided_only.peek();
    return this.#enqueue(() => this.#send("step", { by, undecided }));
  }

  focus(row: number): Promise<void> {
    return this.#enqueue(() => this.#send("focus", { row }));
  }

  relabel(to: string): Promise<void> {
    return this.#onCurrent((loaded) => this.#relabel(loaded, to));
  }

  accept(): Promise<void> {
    return this.#onCurrent(async (loaded) => {
      const { suggestion } = loaded.item.preview;
      if (suggestion === null) this.notice.value = "No suggestion for this row";
      else await this.#relabel(loaded, suggestion);
    });
  }

  decide(verdict: "kept" | "skipped" | "unsure"): Promise<void> {
    return this.#onCurrent(async ({ item }) => {
      if (item.rank === null) {
        this.notice.value = "This row has no finding to decide on";
        return;
      }
      await this.#edit("decide", {
        row: item.preview.row,
        verdict,
        reason: this.#reason(),
        advance: true,
      });
    });
  }

  toggleDropped(): Promise<void> {
    return this.#onCurrent(({ item }) => {
      const rows = [item.preview.row];
      if (item.preview.dropped) return this.#edit("restore", { rows });
      return this.#edit("drop", { rows, reason: this.#reason(), advance: item.rank !== null });
    });
  }

  mark(name: string): Promise<void> {
    return this.#onCurrent(({ item }) => this.#edit("mark", { rows: [item.preview.row], name }));
  }

  undo(): Promise<void> {
    return this.#enqueue(async () => {
      this.#checkEditable();
      if (this.#state.status.peek().undo === null) this.notice.value = "Nothing to undo";
      else await this.#edit("undo", {});
    });
  }

  redo(): Promise<void> {
    return this.#enqueue(async () => {
      this.#checkEditable();
      if (this.#state.status.peek().redo === null) this.notice.value = "Nothing to redo";
      else await this.#edit("redo", {});
    });
  }

  /** Resolves to null when the commit was refused; the error bar then says why. */
  async commit(message: string, author: string | null): Promise<CommitResult | null> {
    let done: CommitResult | null = null;
    await this.#enqueue(async () => {
      const { result } = await this.#actions.request("commit", { message, author });
      this.notice.value = `${result.version} committed: ${result.text}`;
      done = result;
    });
    return done;
  }

  /** Resolves to null when it failed. */
  async script(): Promise<Requests["script"]["result"] | null> {
    try {
      return (await this.#actions.request("script", {})).result;
    } catch (reason) {
      this.#fail(reason);
      return null;
    }
  }

  #relabel({ item }: Loaded, to: string): Promise<void> {
    const { row } = item.preview;
    const advance = item.rank !== null;
    return this.#edit("relabel", { rows: [row], to, reason: this.#reason(), advance });
  }

  #onCurrent(act: (loaded: Loaded) => Promise<void>): Promise<void> {
    return this.#enqueue(async () => {
      const loaded = await this.items.current();
      if (loaded) await act(loaded);
      else this.notice.value = "No row is chosen";
    });
  }

  async #edit<K extends Act>(kind: K, args: Arguments<K>): Promise<void> {
    this.#checkEditable();
    await this.#send(kind, args);
    this.reason.value = "";
  }

  #checkEditable(): void {
    const { read_only, version, branch } = this.#state.status.peek();
    if (read_only) throw readOnly(version, branch);
  }

  async #send<K extends Act>(kind: K, args: Arguments<K>): Promise<void> {
    await this.#actions.request(kind, args);
  }

  /** Acts that were typed on top of one that failed are given up with it. */
  #enqueue(act: () => Promise<void>): Promise<void> {
    const failures = this.#failures;
    const next = this.#tail.then(async () => {
      if (failures !== this.#failures) return;
      try {
        if (this.#state.connection.peek() === "gone") throw GONE;
        this.notice.value = "";
        await act();
        this.#state.error.value = null;
      } catch (reason) {
        this.#fail(reason);
      }
    });
    this.#tail = next;
    return next;
  }

  #fail(reason: unknown): void {
    if (isAborted(reason)) return;
    this.#failures++;
    this.#state.error.value = asError(reason);
  }

  #reason(): string | null {
    return this.reason.peek().trim() || null;
  }
}

const GONE: WireError = {
  code: "kernel-gone",
  message: "The kernel is not running, so nothing was changed.",
  hint: "Start the kernel and run this cell again; what was staged is saved.",
};

function readOnly(version: string, branch: string): WireError {
  return {
    code: "read-only",
    message: `${version} is read-only, so nothing was changed.`,
    hint: `Return to ${branch} first.`,
  };
}

const KNOWN = new WeakMap<Actions, Acts>();

/** The acts of a view: the same for every part of it. */
export function actsOf(state: State, actions: Actions): Acts {
  const known = KNOWN.get(actions) ?? new Acts(state, actions);
  KNOWN.set(actions, known);
  return known;
}
