import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { VersionDetail, VersionLine } from "../contract";
import { isAborted } from "../wire/channel";
import { type Acts, actsOf } from "./acts";
import { asError } from "./items";
import type { Command } from "./keymap";
import { Paged } from "./paged";
import type { Actions, State } from "./state";

interface Place {
  id: string;
  index: number;
}

/** The history as one view shows it: the lines in memory, the version chosen, what it holds. */
export class Versions {
  readonly lines: Paged<VersionLine>;
  /** The version whose details are shown; what is staged, else the head, until one is chosen. */
  readonly chosen: ReadonlySignal<Place>;
  /** What was loaded last: stays while the next one is on its way. */
  readonly shown = signal<VersionDetail | null>(null);
  /** whether the question before a revert is open */
  readonly confirming = signal(false);
  readonly #choice = signal<Place | null>(null);
  readonly #state: State;
  readonly #actions: Actions;
  readonly #acts: Acts;
  #wanted = "";
  #loading = false;

  constructor(state: State, actions: Actions) {
    this.#state = state;
    this.#actions = actions;
    this.#acts = actsOf(state, actions);
    this.#acts.own = (command) => this.run(command);
    this.lines = new Paged(
      async (start, stop) => {
        const { result } = await actions.request("versions", { start, stop });
        return { lines: result.rows, total: result.total };
      },
      (reason) => this.#fail(reason),
    );
    this.chosen = computed(() => this.#place());
  }

  async run(command: Command): Promise<void> {
    if (command.name === "move") this.move(command.by);
    else if (command.name === "view") await this.view();
    else if (command.name === "return") await this.return();
    else if (command.name === "revert") this.ask();
  }

  move(by: 1 | -1): void {
    const index = this.chosen.peek().index + by;
    const line = this.lines.line(index);
    if (line) this.choose(line.id, index);
  }

  /** The place is corrected by what the kernel says when it is not known. */
  choose(id: string, index: number | null = null): void {
    const place = index ?? this.lines.find((line) => line.id === id);
    this.confirming.value = false;
    this.#choice.value = { id, index: place };
  }

  /** Show the chosen version in all widgets; what is staged is the working copy itself. */
  view(): Promise<void> {
    const { id } = this.chosen.peek();
    return this.#acts.view(id === "" ? null : id);
  }

  async return(): Promise<void> {
    if (this.#state.status.peek().viewing !== null) await this.#acts.view(null);
  }

  /** Open the question, unless there is nothing to take back. */
  ask(): void {
    const reason = irrevertible(this.shown.peek());
    if (reason !== null) this.#acts.notice.value = reason;
    else if (this.#state.connection.peek() !== "gone") this.confirming.value = true;
  }

  async revert(id: string): Promise<void> {
    this.confirming.value = false;
    if (await this.#acts.revert(id)) this.#choice.value = null;
  }

  /** Load the chosen version, one request at a time and the last one chosen in the end. */
  async refresh(): Promise<void> {
    this.#wanted = this.chosen.peek().id;
    if (this.#loading) return;
    this.#loading = true;
    let loaded: string | null = null;
    while (loaded !== this.#wanted) {
      loaded = this.#wanted;
      await this.#load(loaded);
    }
    this.#loading = false;
  }

  async #load(id: string): Promise<void> {
    try {
      const { detail } = (await this.#actions.request("version", { version: id })).result;
      if (id !== this.chosen.peek().id) return;
      this.shown.value = detail;
      if (this.#choice.peek()?.index === -1) this.#choice.value = { id, index: detail.index };
    } catch (reason) {
      if (id === this.chosen.peek().id) this.#fail(reason);
    }
  }

  #place(): Place {
    const { staged, decisions, head, head_id } = this.#state.graph.value;
    const waiting = staged + decisions > 0;
    const choice = this.#choice.value;
    if (choice === null || (choice.id === "" && !waiting)) {
      return waiting ? { id: "", index: 0 } : { id: head_id, index: head };
    }
    this.lines.arrived.value;
    if (choice.index >= 0 && this.lines.line(choice.index)?.id === choice.id) return choice;
    const found = this.lines.find((line) => line.id === choice.id);
    return found < 0 ? choice : { id: choice.id, index: found };
  }

  #fail(reason: unknown): void {
    if (!isAborted(reason)) this.#state.error.value = asError(reason);
  }
}

/** Why a version cannot be taken back, null when it can. */
export function irrevertible(detail: VersionDetail | null): string | null {
  if (detail === null) return "The version is still loading";
  if (detail.id === "") return "What is staged is taken back with undo or discard";
  if (detail.columns.length === 0) return `${detail.name} changed nothing`;
  return null;
}

const KNOWN = new WeakMap<Actions, Versions>();

/** The history of a view: the same for every part of it. */
export function versionsOf(state: State, actions: Actions): Versions {
  const known = KNOWN.get(actions) ?? new Versions(state, actions);
  KNOWN.set(actions, known);
  return known;
}
