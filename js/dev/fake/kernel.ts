import type { Requests, Status, Verdict, WireError } from "../../src/contract";
import type { Host } from "../../src/wire/host";
import { answerPage, answerPreview, itemOf, type Made } from "./answers";
import type { Data } from "./data";
import { evidenceOf } from "./evidence";
import { detailOf, type FakeVersion, linesOf, makeHistory, type Shape } from "./history";
import * as traits from "./traits";

type Message = { [K in keyof Requests]: Requests[K]["request"] & { id: number } }[keyof Requests];

interface Step {
  name: string;
  labels: number[];
  verdicts: Map<number, Verdict>;
  dropped: Set<number>;
}

export interface Options {
  queue?: boolean;
  /** milliseconds before an answer; null answers at once in a microtask */
  delay?: number | null;
  read_only?: boolean;
  /** what a plan says is left */
  left?: string;
  /** how much is known beside a row: all, nothing, or nothing yet */
  evidence?: "full" | "none" | "working";
  /** versions after the first, and how they hang together */
  versions?: number;
  graph?: Shape;
}

/** A dataset in memory that answers as the Python side does. */
export class FakeKernel implements Host {
  readonly data: Data;
  readonly base: number[];
  options: Options;
  labels: number[];
  verdicts = new Map<number, Verdict>();
  dropped = new Set<number>();
  current = -1;
  seq = 0;
  evidence_seq = 0;
  /** why there is nothing beside a row, one reason for all */
  why: string | null = null;
  history: FakeVersion[];
  viewing: string | null = null;
  last: { text: string; code: string } | null = null;
  acts: string[] = [];
  selected = new Uint8Array();
  selected_source = "";
  /** every message, as it came */
  readonly received: Message[] = [];
  /** the next request of this kind is refused with this error */
  readonly refuse = new Map<string, WireError>();
  /** when set, nothing is answered */
  silent = false;
  readonly #traits = new Map<string, unknown>();
  readonly #changed = new Map<string, Set<() => void>>();
  readonly #messages = new Set<(message: unknown, buffers: DataView[]) => void>();
  readonly #gone = new Set<() => void>();
  #past: Step[] = [];
  #future: Step[] = [];

  constructor(data: Data, options: Options = {}) {
    this.data = data;
    this.options = options;
    this.base = [...data.labels];
    this.labels = [...data.labels];
    this.history = makeHistory(this, options.versions ?? 0, options.graph ?? "linear");
    this.publish();
  }

  get listeners(): number {
    const changed = [...this.#changed.values()].reduce((sum, set) => sum + set.size, 0);
    return changed + this.#messages.size + this.#gone.size;
  }

  get<T>(trait: string): T {
    return this.#traits.get(trait) as T;
  }

  onChange(trait: string, callback: () => void, signal: AbortSignal): void {
    const set = this.#changed.get(trait) ?? new Set();
    this.#changed.set(trait, set);
    add(set, callback, signal);
  }

  onMessage(callback: (message: unknown, buffers: DataView[]) => void, signal: AbortSignal): void {
    add(this.#messages, callback, signal);
  }

  onGone(callback: () => void, signal: AbortSignal): void {
    add(this.#gone, callback, signal);
  }

  die(): void {
    this.silent = true;
    for (const callback of this.#gone) callback();
  }

  set(trait: string, value: unknown): void {
    this.#traits.set(trait, value);
    for (const callback of this.#changed.get(trait) ?? []) callback();
  }

  send(message: object, buffers: ArrayBuffer[] = []): void {
    const request = message as Message;
    this.received.push(request);
    if (this.silent) return;
    const reply = () => this.#reply(request, buffers);
    const { delay = null } = this.options;
    if (delay === null) queueMicrotask(reply);
    else setTimeout(reply, delay);
  }

  emit(message: unknown, buffers: DataView[] = []): void {
    for (const callback of [...this.#messages]) callback(message, buffers);
  }

  publish(): void {
    for (const [name, value] of Object.entries(traits.of(this))) {
      if (JSON.stringify(this.#traits.get(name)) !== JSON.stringify(value)) this.set(name, value);
      else if (value instanceof DataView) this.set(name, value);
    }
  }

  get stagedCells(): number {
    return this.labels.filter((label, row) => label !== this.base[row]).length + this.dropped.size;
  }

  get version(): string {
    return this.history.find(({ id }) => id === this.viewing)?.name ?? this.headName;
  }

  get headName(): string {
    return this.history.at(-1)?.name ?? "";
  }

  get status(): Pick<Status, "undo" | "redo"> {
    return { undo: this.#past.at(-1)?.name ?? null, redo: this.#future.at(-1)?.name ?? null };
  }

  #reply(request: Message, buffers: ArrayBuffer[]): void {
    const { id, kind } = request;
    const error = this.refuse.get(kind);
    if (error) {
      this.refuse.delete(kind);
      this.emit({ id, kind: "failed", error });
      return;
    }
    const made = this.#answer(request, buffers);
    this.publish();
    this.emit({ id, kind: "done", result: made.result }, made.buffers);
  }

  #answer(request: Message, buffers: ArrayBuffer[]): Made {
    switch (request.kind) {
      case "page":
        return answerPage(this, request);
      case "peek":
        return answerPreview(this, request.row);
      case "item":
        return itemOf(this, request.row);
      case "evidence":
        return evidenceOf(this, request.row);
      case "versions": {
        const lines = linesOf(this);
        const rows = lines.slice(request.start, request.stop);
        return { result: { total: lines.length, rows }, buffers: [] };
      }
      case "version":
        return { result: { detail: detailOf(this, request.version) }, buffers: [] };
      case "view":
        this.#view(request.version);
        break;
      case "revert":
        return this.#revert(request.version);
      case "script":
        return { result: { code: this.acts.join("\n"), acts: this.acts.length }, buffers: [] };
      case "summary":
        return traits.summary(this, request.to);
      case "select":
        this.selected = new Uint8Array(buffers[0] ?? new ArrayBuffer(0));
        this.selected_source = request.source;
        break;
      case "commit":
        return this.#commit(request.message);
      default:
        this.#act(request);
    }
    return { result: {}, buffers: [] };
  }

  #act(request: Message): void {
    if (request.kind === "focus") this.current = request.row;
    else if (request.kind === "step") this.#step(request.by, request.undecided);
    else if (request.kind === "undo") this.#move(this.#past, this.#future, "undo");
    else if (request.kind === "redo") this.#move(this.#future, this.#past, "redo");
    else this.#edit(request);
  }

  #edit(request: Message): void {
    if (request.kind === "decide") {
      this.#stage(`${request.verdict} ${this.data.keys[request.row]}`);
      this.verdicts.set(request.row, request.verdict);
      this.#said(
        `Row ${request.verdict}`,
        `ds.decide(["${this.data.keys[request.row]}"], "${request.verdict}", because=issues)`,
      );
      if (request.advance) this.#step(1, true);
    }
    if (request.kind === "relabel") this.#relabel(request.rows ?? traits.rowsOf(this), request);
    if (request.kind === "drop" || request.kind === "restore") {
      const rows = request.rows ?? traits.rowsOf(this);
      this.#stage(`${request.kind} ${rows.length} row`);
      for (const row of rows) {
        if (request.kind === "drop") this.dropped.add(row);
        else this.dropped.delete(row);
      }
      this.#said(`${rows.length} row: ${request.kind}`, `ds.${request.kind}(${this.#keys(rows)})`);
      if (request.kind === "drop" && request.advance) this.#step(1, true);
    }
    if (request.kind === "mark") {
      this.#said("1 row marked", `ds.mark(${this.#keys(request.rows ?? [])}, "${request.name}")`);
    }
  }

  #relabel(rows: number[], request: Requests["relabel"]["request"]): void {
    const code = this.data.classes.indexOf(request.to);
    this.#stage(`relabel ${rows.length} row to ${request.to}`);
    for (const row of rows) {
      this.labels[row] = code;
      if (this.data.flagged.includes(row)) this.verdicts.set(row, "accepted");
    }
    const reason = request.reason === null ? "" : `, reason=${JSON.stringify(request.reason)}`;
    this.#said(
      `${rows.length} row relabelled to ${request.to}`,
      `ds.relabel(${this.#keys(rows)}, "${request.to}"${reason}, because=issues)`,
    );
    if (request.advance) this.#step(1, true);
  }

  #keys(rows: number[]): string {
    return `[${rows.map((row) => `"${this.data.keys[row]}"`).join(", ")}]`;
  }

  #step(by: number, undecided: boolean): void {
    const order = this.data.flagged;
    let at = order.indexOf(this.current);
    do at += by;
    while (undecided && this.verdicts.has(order[at] ?? -1));
    this.current = order[at] ?? (by > 0 ? -1 : (order[0] ?? -1));
  }

  #stage(name: string): void {
    this.#past.push(this.#snapshot(name));
    this.#future = [];
  }

  #snapshot(name: string): Step {
    const { labels, verdicts, dropped } = this;
    return {
      name,
      labels: [...labels],
      verdicts: new Map(verdicts),
      dropped: new Set(dropped),
    };
  }

  #move(from: Step[], to: Step[], word: string): void {
    const step = from.pop();
    if (!step) return;
    to.push(this.#snapshot(step.name));
    this.labels = step.labels;
    this.verdicts = step.verdicts;
    this.dropped = step.dropped;
    this.#said(`${word}: ${step.name}`, `ds.${word}()`);
  }

  #said(text: string, code: string): void {
    this.seq++;
    this.last = { text, code };
    this.acts.push(code);
  }

  #view(id: string | null): void {
    this.viewing = id;
    this.seq++;
    if (id !== null) this.#said(`look at ${this.version}`, `ds.at('${this.version}')`);
  }

  #revert(id: string): Made {
    const version = this.history.find((known) => known.id === id);
    this.viewing = null;
    this.#grow(`revert ${version?.name}`, version?.cells ?? 0);
    this.#said(`commit ${this.headName}: revert ${version?.name}`, `ds.revert('${version?.name}')`);
    const text = `revert ${version?.name}`;
    return { result: { version: this.headName, text }, buffers: [] };
  }

  #grow(message: string, cells: number): void {
    const number = this.history.length;
    this.history.push({
      id: number.toString(16).padStart(64, "f"),
      name: `v${number}`,
      message,
      author: "ada",
      time: new Date().toISOString(),
      cells,
      parents: [this.history.at(-1)?.id ?? ""],
      labels: [...this.labels],
    });
  }

  #commit(message: string): Made {
    const cells = this.labels.filter((label, row) => label !== this.base[row]).length;
    this.base.splice(0, this.base.length, ...this.labels);
    this.#past = [];
    this.#future = [];
    this.#grow(message, cells);
    this.#said(`${this.headName} committed`, `ds.commit(${JSON.stringify(message)})`);
    return { result: { version: this.headName, text: `${cells} cells` }, buffers: [] };
  }
}

function add<T>(set: Set<T>, callback: T, signal: AbortSignal): void {
  if (signal.aborted) return;
  set.add(callback);
  signal.addEventListener("abort", () => set.delete(callback), { once: true });
}
