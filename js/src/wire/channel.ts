import { signal as createSignal, type ReadonlySignal } from "@preact/signals";
import type { Requests, WireError } from "../contract";
import type { Host } from "./host";

export interface Answer<K extends keyof Requests> {
  result: Requests[K]["result"];
  buffers: DataView[];
}

export type Arguments<K extends keyof Requests> = Omit<Requests[K]["request"], "kind">;

/** A request that the kernel refused. */
export class Failure extends Error implements WireError {
  override name = "Failure";
  readonly code: string;
  readonly hint: string;

  constructor(error: WireError) {
    super(error.message);
    this.code = error.code;
    this.hint = error.hint;
  }
}

interface Waiting {
  resolve(answer: { result: unknown; buffers: DataView[] }): void;
  reject(reason: unknown): void;
  since: number;
}

const BUSY_AFTER = 400;

/** Sends requests and pairs each with its one answer. */
export class Channel {
  readonly busy: ReadonlySignal<boolean>;
  readonly #busy = createSignal(false);
  readonly #host: Host;
  readonly #waiting = new Map<number, Waiting>();
  #next = firstId();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host, signal: AbortSignal) {
    this.#host = host;
    this.busy = this.#busy;
    host.onMessage((message, buffers) => this.#receive(message, buffers), signal);
    signal.addEventListener("abort", () => this.#close(), { once: true });
  }

  request<K extends keyof Requests>(
    kind: K,
    args: Arguments<K>,
    buffers: ArrayBuffer[] = [],
    signal?: AbortSignal,
  ): Promise<Answer<K>> {
    const id = this.#next++;
    const stop = () => {
      this.#waiting.get(id)?.reject(aborted());
      this.#settle(id);
    };
    const answer = new Promise<{ result: unknown; buffers: DataView[] }>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted());
      signal?.addEventListener("abort", stop, { once: true });
      this.#waiting.set(id, { resolve, reject, since: Date.now() });
      this.#host.send({ id, kind, ...args }, buffers);
      this.#watch();
    }).finally(() => signal?.removeEventListener("abort", stop));
    return answer as Promise<Answer<K>>;
  }

  #receive(message: unknown, buffers: DataView[]): void {
    if (!isAnswer(message)) return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#settle(message.id);
    if (message.kind === "done") waiting.resolve({ result: message.result, buffers });
    else waiting.reject(new Failure(message.error));
  }

  #settle(id: number): void {
    this.#waiting.delete(id);
    this.#watch();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const [oldest] = this.#waiting.values();
    const left = oldest ? oldest.since + BUSY_AFTER - Date.now() : Number.POSITIVE_INFINITY;
    this.#busy.value = left <= 0;
    if (oldest && left > 0) this.#timer = setTimeout(() => this.#watch(), left);
  }

  #close(): void {
    clearTimeout(this.#timer);
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of left) waiting.reject(aborted());
  }
}

type Message =
  | { id: number; kind: "done"; result: unknown }
  | { id: number; kind: "failed"; error: WireError };

function isAnswer(message: unknown): message is Message {
  if (typeof message !== "object" || message === null) return false;
  const { id, kind } = message as { id?: unknown; kind?: unknown };
  return typeof id === "number" && (kind === "done" || kind === "failed");
}

/** All views of a model get every answer, so each counts in a range of its own. */
function firstId(): number {
  return Math.floor(Math.random() * 2 ** 32) * 2 ** 20 + 1;
}

export function aborted(): DOMException {
  return new DOMException("The request was given up.", "AbortError");
}

export function isAborted(reason: unknown): boolean {
  return reason instanceof DOMException && reason.name === "AbortError";
}
