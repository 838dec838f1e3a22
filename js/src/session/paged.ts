import { signal } from "@preact/signals";

interface Page<T> {
  lines: T[];
  seq: string;
}

export interface Fetched<T> {
  lines: T[];
  total: number;
}

export const PAGE_SIZE = 50;
const KEPT_PAGES = 60;

/**
 * Lines of a long list, fetched page by page. A page that is out of date stays in sight until its
 * successor is there.
 */
export class Paged<T> {
  /** Grows when lines arrive. */
  readonly arrived = signal(0);
  readonly total = signal<number | null>(null);
  readonly #fetch: (start: number, stop: number) => Promise<Fetched<T>>;
  readonly #fail: (reason: unknown) => void;
  readonly #pages = new Map<number, Page<T>>();
  readonly #asked = new Map<number, string>();
  readonly #loading = new Set<number>();
  #seq = "";

  constructor(
    fetch: (start: number, stop: number) => Promise<Fetched<T>>,
    fail: (reason: unknown) => void,
  ) {
    this.#fetch = fetch;
    this.#fail = fail;
  }

  /** Name the state of the list that pages must come from. */
  follow(seq: string): void {
    this.#seq = seq;
  }

  line(index: number): T | undefined {
    return this.#pages.get(Math.floor(index / PAGE_SIZE))?.lines[index % PAGE_SIZE];
  }

  /** Where a line in memory stands, -1 when there is none like it. */
  find(like: (line: T) => boolean): number {
    for (const [page, { lines }] of this.#pages) {
      const at = lines.findIndex(like);
      if (at >= 0) return page * PAGE_SIZE + at;
    }
    return -1;
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

  /** One request at a time for a page, however fast the list changes. */
  async #load(page: number): Promise<void> {
    this.#loading.add(page);
    let seq: string | undefined;
    while (seq !== this.#asked.get(page)) {
      seq = this.#asked.get(page);
      await this.#replace(page, seq ?? "");
    }
    this.#loading.delete(page);
  }

  async #replace(page: number, seq: string): Promise<void> {
    const start = page * PAGE_SIZE;
    try {
      const { lines, total } = await this.#fetch(start, start + PAGE_SIZE);
      this.#keep(page, { seq, lines });
      this.total.value = total;
      this.arrived.value++;
    } catch (reason) {
      this.#fail(reason);
    }
  }

  #keep(number: number, page: Page<T>): void {
    this.#pages.delete(number);
    this.#pages.set(number, page);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size <= KEPT_PAGES || oldest === undefined) return;
    this.#pages.delete(oldest);
    this.#asked.delete(oldest);
  }
}
