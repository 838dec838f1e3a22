import { signal } from "@preact/signals";
import type { QueueRow } from "../contract";
import type { Actions } from "./state";

export interface Line extends QueueRow {
  bytes: DataView | null;
}

interface Page {
  lines: Line[];
  seq: string;
}

export const PAGE_SIZE = 50;
const KEPT_PAGES = 60;

/**
 * Lines of the queue, fetched page by page. A page that is out of date stays in sight until its
 * successor is there.
 */
export class Pages {
  /** Grows when lines arrive. */
  readonly arrived = signal(0);
  readonly total = signal<number | null>(null);
  readonly #actions: Actions;
  readonly #fail: (reason: unknown) => void;
  readonly #pages = new Map<number, Page>();
  readonly #asked = new Map<number, string>();
  readonly #loading = new Set<number>();
  readonly #undecided: boolean;
  #seq = "";

  constructor(actions: Actions, undecided: boolean, fail: (reason: unknown) => void) {
    this.#actions = actions;
    this.#undecided = undecided;
    this.#fail = fail;
  }

  /** Name the state of the queue that pages must come from. */
  follow(seq: string): void {
    this.#seq = seq;
  }

  line(index: number): Line | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.lines[index % PAGE_SIZE];
  }

  /** Where a row stands, from the lines in memory or else from its rank; -1 when unknown. */
  indexOf(row: number, rank: number | null): number {
    for (const [page, { lines }] of this.#pages) {
      const at = lines.findIndex((line) => line.preview.row === row);
      if (at >= 0) return page * PAGE_SIZE + at;
    }
    return rank === null || this.#undecided ? -1 : rank;
  }

  /** Ask for what is missing or out of date between two indices. */
  need(start: number, stop: number): void {
    const last = Math.floor(Math.max(start, stop - 1) / PAGE_SIZE);
    for (let page = Math.floor(start / PAGE_SIZE); page <= last; page++) this.#need(page);
  }

  #need(page: number): void {
    if (this.#pages.get(page)?.seq === this.#seq || this.#asked.get(page) === this.#seq) return;
    this.#asked.set(page, this.#seq);
    if (!this.#loading.has(page)) void this.#load(page);
  }

  /** One request at a time for a page, however fast the queue changes. */
  async #load(page: number): Promise<void> {
    this.#loading.add(page);
    let seq: string | undefined;
    while (seq !== this.#asked.get(page)) {
      seq = this.#asked.get(page);
      await this.#fetch(page, seq ?? "");
    }
    this.#loading.delete(page);
  }

  async #fetch(page: number, seq: string): Promise<void> {
    const start = page * PAGE_SIZE;
    const range = { start, stop: start + PAGE_SIZE, undecided: this.#undecided };
    try {
      const { result, buffers } = await this.#actions.request("page", range);
      this.#keep(page, { seq, lines: result.rows.map((row) => withImage(row, buffers)) });
      this.total.value = result.total;
      this.arrived.value++;
    } catch (reason) {
      this.#fail(reason);
    }
  }

  #keep(number: number, page: Page): void {
    this.#pages.delete(number);
    this.#pages.set(number, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size <= KEPT_PAGES || oldest === undefined) return;
    this.#pages.delete(oldest);
    this.#asked.delete(oldest);
  }
}

function withImage(row: QueueRow, buffers: DataView[]): Line {
  const { image } = row.preview;
  return { ...row, bytes: image === null ? null : (buffers[image] ?? null) };
}
