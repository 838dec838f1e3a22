import { CONTRACT_VERSION } from "../../src/contract";
import type { Made } from "./answers";
import { graphOf } from "./history";
import type { FakeKernel } from "./kernel";

const KEYCAPS = "1234567890abefghijlmoqrtvwy";

/** Every trait of a kernel's present state. */
export function of(kernel: FakeKernel): Record<string, unknown> {
  const { data } = kernel;
  return {
    contract: CONTRACT_VERSION,
    revision: 0,
    n_rows: data.keys.length,
    status: status(kernel),
    classes: classes(kernel),
    current: kernel.current,
    selected: view(kernel.selected.slice()),
    selected_count: rowsOf(kernel).length,
    selected_source: kernel.selected_source,
    last_action: kernel.last ? { ...kernel.last, seq: kernel.seq } : null,
    queue: kernel.options.queue === false ? null : queue(kernel),
    evidence_seq: kernel.evidence_seq,
    graph: graphOf(kernel),
    height: 560,
    ...geometry(kernel),
  };
}

function status(kernel: FakeKernel) {
  const { data } = kernel;
  return {
    dataset: data.name,
    branch: "main",
    version: kernel.version,
    rows: data.keys.length - kernel.dropped.size,
    dropped: kernel.dropped.size,
    staged: kernel.viewing === null ? kernel.stagedCells : 0,
    decisions: kernel.verdicts.size,
    ...kernel.status,
    author: "ada",
    read_only: kernel.options.read_only ?? kernel.viewing !== null,
    viewing: kernel.viewing === null ? null : kernel.version,
    label: "label",
    has_image: data.images !== null,
    has_text: data.texts !== null,
  };
}

function classes({ data, labels }: FakeKernel) {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return data.classes.map((name, code) => ({
    name,
    count: counts.get(code) ?? 0,
    keycap: name.length === 1 ? name : (KEYCAPS[code] ?? null),
  }));
}

function queue({ data, verdicts, seq, options }: FakeKernel) {
  const count = (verdict: string) => [...verdicts.values()].filter((v) => v === verdict).length;
  return {
    id: "label-issue:00000000",
    title: "label issues",
    total: data.flagged.length,
    accepted: count("accepted"),
    kept: count("kept"),
    skipped: count("skipped"),
    unsure: count("unsure"),
    left: options.left ?? null,
    seq,
  };
}

function geometry(kernel: FakeKernel) {
  const { data, base, labels } = kernel;
  const points = new Uint16Array(data.keys.length * 2);
  data.keys.forEach((_, row) => {
    points[row * 2] = (data.x[row] ?? 0) * 65535;
    points[row * 2 + 1] = (data.y[row] ?? 0) * 65535;
  });
  const changed = labels.flatMap((label, row) => (label === base[row] ? [] : [row]));
  const undecided = data.flagged.filter((row) => !kernel.verdicts.has(row));
  return {
    points: view(points),
    codes: view(Uint16Array.from(base)),
    changed_rows: view(Uint32Array.from(changed)),
    changed_codes: view(Uint16Array.from(changed, (row) => labels[row] ?? 0)),
    hidden: view(bitmap(kernel.dropped, data.keys.length)),
    flagged: view(bitmap(undecided, data.keys.length)),
    projection: { name: "pca", missing: 0, progress: null, progress_name: null, seq: 0 },
  };
}

function bitmap(rows: Iterable<number>, length: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array((length + 7) >> 3);
  for (const row of rows) bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
  return bits;
}

function view(array: Uint8Array | Uint16Array | Uint32Array): DataView {
  return new DataView(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}

export function rowsOf({ selected, data }: FakeKernel): number[] {
  return data.keys.flatMap((_, row) => (((selected[row >> 3] ?? 0) >> (row & 7)) & 1 ? [row] : []));
}

export function summary(kernel: FakeKernel, to: string | null): Made {
  const rows = rowsOf(kernel);
  const names = rows.map((row) => kernel.data.classes[kernel.labels[row] ?? 0] ?? "");
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const labels = [...counts].map(([name, count]) => ({ name, count }));
  const changed = to === null ? 0 : names.filter((name) => name !== to).length;
  const result = { rows: rows.length, hidden: 0, changed, unchanged: rows.length - changed };
  return {
    result: { ...result, labels: labels.sort((a, b) => b.count - a.count) },
    buffers: [],
  };
}
