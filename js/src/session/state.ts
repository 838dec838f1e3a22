import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  Action,
  ClassInfo,
  GraphInfo,
  HistoryState,
  MapState,
  Projection,
  QueueInfo,
  QueueState,
  Requests,
  SessionState,
  Status,
  WireError,
} from "../contract";
import { toBytes, toUint16, toUint32 } from "../wire/bytes";
import { type Answer, type Arguments, Channel } from "../wire/channel";
import type { Host } from "../wire/host";

export type Connection = "live" | "busy" | "gone";

/** One signal per trait, binary ones decoded. A trait that the widget lacks keeps its default. */
export interface State {
  contract: ReadonlySignal<number>;
  revision: ReadonlySignal<number>;
  n_rows: ReadonlySignal<number>;
  status: ReadonlySignal<Status>;
  classes: ReadonlySignal<ClassInfo[]>;
  current: ReadonlySignal<number>;
  selected: ReadonlySignal<Uint8Array>;
  selected_count: ReadonlySignal<number>;
  selected_source: ReadonlySignal<string>;
  last_action: ReadonlySignal<Action | null>;
  points: ReadonlySignal<Uint16Array>;
  codes: ReadonlySignal<Uint16Array>;
  changed_rows: ReadonlySignal<Uint32Array>;
  changed_codes: ReadonlySignal<Uint16Array>;
  hidden: ReadonlySignal<Uint8Array>;
  flagged: ReadonlySignal<Uint8Array>;
  projection: ReadonlySignal<Projection>;
  queue: ReadonlySignal<QueueInfo | null>;
  evidence_seq: ReadonlySignal<number>;
  graph: ReadonlySignal<GraphInfo>;
  height: ReadonlySignal<number>;
  connection: ReadonlySignal<Connection>;
  /** The last act that failed, for the error bar. */
  error: Signal<WireError | null>;
}

export interface Actions {
  request<K extends keyof Requests>(
    kind: K,
    args: Arguments<K>,
    buffers?: ArrayBuffer[],
    signal?: AbortSignal,
  ): Promise<Answer<K>>;
}

type Trait = keyof Raw;
type Unwrap<S> = S extends ReadonlySignal<infer V> ? V : never;
type Traits = { [K in Trait]: Unwrap<State[K]> };
type Raw = SessionState & MapState & QueueState & HistoryState;

const NO_STATUS: Status = {
  dataset: "",
  branch: "",
  version: "",
  rows: 0,
  dropped: 0,
  staged: 0,
  decisions: 0,
  undo: null,
  redo: null,
  author: "",
  read_only: false,
  viewing: null,
  label: null,
  has_image: false,
  has_text: false,
};
const NO_PROJECTION: Projection = {
  name: "",
  missing: 0,
  progress: null,
  progress_name: null,
  seq: 0,
};

const NO_GRAPH: GraphInfo = {
  total: 0,
  versions: 0,
  lanes: 1,
  staged: 0,
  decisions: 0,
  head: 0,
  head_id: "",
  viewing: -1,
  seq: 0,
};

const DECODE: { [K in Trait]: (raw: Raw[K] | undefined) => Traits[K] } = {
  contract: (raw) => raw ?? 0,
  revision: (raw) => raw ?? 0,
  n_rows: (raw) => raw ?? 0,
  status: (raw) => ({ ...NO_STATUS, ...raw }),
  classes: (raw) => raw ?? [],
  current: (raw) => raw ?? -1,
  selected: toBytes,
  selected_count: (raw) => raw ?? 0,
  selected_source: (raw) => raw ?? "",
  last_action: (raw) => raw ?? null,
  points: toUint16,
  codes: toUint16,
  changed_rows: toUint32,
  changed_codes: toUint16,
  hidden: toBytes,
  flagged: toBytes,
  projection: (raw) => ({ ...NO_PROJECTION, ...raw }),
  queue: (raw) => raw ?? null,
  evidence_seq: (raw) => raw ?? 0,
  graph: (raw) => ({ ...NO_GRAPH, ...raw }),
  height: (raw) => raw ?? 0,
};

/** Follow a host until the signal aborts. */
export function connect(host: Host, signal: AbortSignal): { state: State; actions: Actions } {
  const channel = new Channel(host, signal);
  const alive = followAlive(host, signal);
  const connection = computed<Connection>(() => {
    if (!alive.value) return "gone";
    return channel.busy.value ? "busy" : "live";
  });
  const state = { ...followTraits(host, signal), connection, error: newError() };
  return { state, actions: { request: channel.request.bind(channel) } };
}

function newError(): Signal<WireError | null> {
  return signal<WireError | null>(null);
}

function followAlive(host: Host, stop: AbortSignal): ReadonlySignal<boolean> {
  const alive = signal(true);
  host.onGone?.(() => {
    alive.value = false;
  }, stop);
  return alive;
}

/**
 * Traits that change in one message are applied together: a view never sees the colours of one
 * state with the rows of another.
 */
function followTraits(host: Host, stop: AbortSignal): Pick<State, Trait> {
  const names = Object.keys(DECODE) as Trait[];
  const signals = Object.fromEntries(names.map((name) => [name, signal(read(host, name))]));
  const stale = new Set<Trait>();
  const flush = () => {
    const due = [...stale];
    stale.clear();
    batch(() => {
      for (const name of due) (signals[name] as Signal<unknown>).value = read(host, name);
    });
  };
  for (const name of names) {
    const changed = () => {
      if (stale.size === 0) queueMicrotask(flush);
      stale.add(name);
    };
    host.onChange(name, changed, stop);
  }
  return signals as unknown as Pick<State, Trait>;
}

function read<K extends Trait>(host: Host, name: K): Traits[K] {
  return DECODE[name](host.get<Raw[K] | undefined>(name));
}
