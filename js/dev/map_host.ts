import type { ClassInfo, Preview, SummaryResult } from "../src/contract";
import { countBits, rowsOf, setBit } from "../src/points/bits";
import type { Host } from "../src/wire/host";
import { makeCloud, random } from "./map_data";

type Listener = () => void;
type Answer = (message: unknown, buffers: DataView[]) => void;
type Request = { id: number; kind: string } & Record<string, unknown>;

export interface Settings {
  readonly rows: number;
  readonly classes: number;
  readonly missing: number;
  readonly progress: number | null;
  readonly read_only: boolean;
}

/** Answers like a kernel would, over made-up data, so that the map can be tried by itself. */
export class FakeHost implements Host {
  readonly log: Request[] = [];
  /** kinds of requests that are to fail */
  readonly failing = new Set<string>();
  readonly traits: Record<string, unknown>;
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly answers = new Set<Answer>();
  private readonly names: string[];
  private codes: Uint16Array;
  private selected = new Uint8Array(0);
  private seq = 0;

  constructor(private readonly settings: Settings) {
    const cloud = makeCloud(settings.rows, settings.classes);
    this.names = namesOf(settings.classes);
    this.codes = cloud.codes;
    const hidden = new Uint8Array((settings.rows + 7) >> 3);
    for (let row = 0; row < settings.missing; row++) setBit(hidden, row);
    this.traits = {
      contract: 1,
      revision: 1,
      n_rows: settings.rows,
      status: statusOf(settings),
      classes: this.counted(),
      current: settings.rows > 300 ? 300 : -1,
      selected: view(new Uint8Array(0)),
      selected_count: 0,
      selected_source: "",
      last_action: null,
      points: view(cloud.points),
      codes: view(cloud.codes.slice()),
      changed_rows: view(new Uint32Array(0)),
      changed_codes: view(new Uint16Array(0)),
      hidden: view(hidden),
      flagged: view(cloud.flagged),
      projection: projectionOf(settings),
      queue: null,
      height: 600,
    };
  }

  get<T>(trait: string): T {
    return this.traits[trait] as T;
  }

  set(values: Record<string, unknown>): void {
    Object.assign(this.traits, values);
    for (const name of Object.keys(values)) {
      for (const listener of this.listeners.get(name) ?? []) listener();
    }
  }

  onChange(trait: string, callback: Listener, signal: AbortSignal): void {
    const known = this.listeners.get(trait) ?? new Set();
    this.listeners.set(trait, known.add(callback));
    signal.addEventListener("abort", () => known.delete(callback), { once: true });
  }

  onMessage(callback: Answer, signal: AbortSignal): void {
    this.answers.add(callback);
    signal.addEventListener("abort", () => this.answers.delete(callback), { once: true });
  }

  send(message: object, buffers: ArrayBuffer[] = []): void {
    const request = message as Request;
    this.log.push(request);
    setTimeout(() => this.reply(request, buffers), 15);
  }

  private reply(request: Request, sent: ArrayBuffer[]): void {
    const { id, kind } = request;
    const error = { code: "refused", message: "The kernel refused.", hint: "Try again." };
    const buffers: DataView[] = [];
    const answer = this.failing.has(kind)
      ? { id, kind: "failed", error }
      : { id, kind: "done", result: this.act(request, sent, buffers) };
    for (const callback of this.answers) callback(answer, buffers);
  }

  private act(request: Request, sent: ArrayBuffer[], buffers: DataView[]): unknown {
    if (request.kind === "focus") this.set({ current: request["row"] });
    if (request.kind === "select") this.select(sent[0] ?? new ArrayBuffer(0));
    if (request.kind === "summary") return this.summary(request["to"] as string | null);
    if (request.kind === "relabel") this.relabel(request["to"] as string);
    if (request.kind === "peek") return this.peek(request["row"] as number, buffers);
    return {};
  }

  private select(bits: ArrayBuffer): void {
    this.selected = new Uint8Array(bits);
    this.set({ selected: view(this.selected), selected_count: countBits(this.selected) });
  }

  private rows(): Uint32Array {
    return rowsOf(this.selected, this.settings.rows);
  }

  private summary(to: string | null): SummaryResult {
    const rows = this.rows();
    const counts = new Map<string, number>();
    for (const row of rows) {
      const name = this.names[this.codes[row] as number] as string;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const labels = [...counts].map(([name, count]) => ({ name, count }));
    const unchanged = to === null ? 0 : (counts.get(to) ?? 0);
    return {
      rows: rows.length,
      hidden: 0,
      changed: rows.length - unchanged,
      unchanged,
      labels: labels.sort((a, b) => b.count - a.count),
    };
  }

  private relabel(to: string): void {
    const rows = this.rows();
    const code = this.names.indexOf(to);
    for (const row of rows) this.codes[row] = code;
    this.set({
      changed_rows: view(rows),
      changed_codes: view(new Uint16Array(rows.length).fill(code)),
      classes: this.counted(),
      last_action: { text: `${rows.length} rows relabelled`, code: "", seq: ++this.seq },
    });
  }

  private counted(): ClassInfo[] {
    const counts = new Uint32Array(this.names.length);
    for (const code of this.codes) counts[code] = (counts[code] ?? 0) + 1;
    return this.names.map((name, code) => ({ name, count: counts[code] ?? 0, keycap: null }));
  }

  private peek(row: number, buffers: DataView[]): { preview: Preview } {
    const label = this.names[this.codes[row] as number] ?? null;
    const flagged =
      ((new Uint8Array((this.traits["flagged"] as DataView).buffer)[row >> 3] ?? 0) >> (row & 7)) &
      1;
    const image = pictureOf(row);
    if (image) buffers.push(image);
    const preview = {
      row,
      key: `img-${String(row).padStart(4, "0")}`,
      label,
      suggestion: flagged ? (this.names[row % this.names.length] ?? null) : null,
      probability: flagged ? 0.97 : null,
      text:
        row % 2 ? "Arrived late, and the <b>box</b> was open; I asked for my money back." : null,
      image: image ? 0 : null,
      dropped: false,
    };
    return { preview };
  }
}

function view(array: Uint8Array | Uint16Array | Uint32Array): DataView {
  return new DataView(array.buffer, array.byteOffset, array.byteLength);
}

function namesOf(classes: number): string[] {
  if (classes <= 10) return Array.from({ length: classes }, (_, i) => String(i));
  return Array.from({ length: classes }, (_, i) =>
    i % 7 === 3 ? `a rather long name for class ${i}` : `class ${i}`,
  );
}

function statusOf({ rows, read_only }: Settings) {
  return { dataset: "made up", branch: "main", version: "v3", rows, read_only };
}

function projectionOf({ missing, progress }: Settings) {
  return {
    name: "pca",
    missing,
    progress,
    progress_name: progress === null ? null : "umap",
    seq: 0,
  };
}

function pictureOf(seed: number): DataView | null {
  const canvas = document.createElement("canvas");
  canvas.width = 8;
  canvas.height = 8;
  const context = canvas.getContext("2d");
  if (!context) return null;
  const next = random(seed);
  for (let i = 0; i < 64; i++) {
    const grey = Math.round(255 * next());
    context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    context.fillRect(i % 8, i >> 3, 1, 1);
  }
  const bytes = Uint8Array.from(atob(canvas.toDataURL().split(",")[1] ?? ""), (c) =>
    c.charCodeAt(0),
  );
  return new DataView(bytes.buffer);
}
