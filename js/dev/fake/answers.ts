import type { Item, PageRequest, Preview, QueueRow } from "../../src/contract";
import type { FakeKernel } from "./kernel";

export interface Made {
  result: object;
  buffers: DataView[];
}

export function answerPreview(kernel: FakeKernel, row: number): Made {
  const buffers: DataView[] = [];
  return { result: { preview: preview(kernel, row, buffers) }, buffers };
}

export function answerPage(kernel: FakeKernel, { start, stop, undecided }: PageRequest): Made {
  const buffers: DataView[] = [];
  const order = kernel.data.flagged.filter((row) => !undecided || !kernel.verdicts.has(row));
  const rows = order.slice(start, stop).map((row) => queueRow(kernel, row, buffers));
  return { result: { total: order.length, rows }, buffers };
}

export function itemOf(kernel: FakeKernel, row: number): Made {
  const { data } = kernel;
  const buffers: DataView[] = [];
  const place = data.flagged.indexOf(row);
  const rank = place < 0 ? null : place;
  const item: Item = {
    preview: preview(kernel, row, buffers),
    given: data.classes[kernel.base[row] ?? 0] ?? null,
    split: "train",
    score: rank === null ? null : score(rank),
    rank,
    verdict: kernel.verdicts.get(row) ?? null,
    verdict_by: kernel.verdicts.has(row) ? "ada" : null,
    probabilities: probabilities(kernel, row),
    fields: fields(kernel, row),
    text: data.texts?.[row] ?? null,
  };
  return { result: { item }, buffers };
}

export function preview(kernel: FakeKernel, row: number, buffers: DataView[]): Preview {
  const { data, labels, dropped } = kernel;
  const image = data.images?.[row];
  const flagged = data.flagged.includes(row);
  return {
    row,
    key: data.keys[row] ?? "",
    label: data.classes[labels[row] ?? 0] ?? null,
    suggestion: flagged ? (data.classes[data.truth[row] ?? 0] ?? null) : null,
    probability: flagged ? 0.97 : 0.88,
    text: data.texts?.[row]?.slice(0, 120) ?? null,
    image: image ? buffers.push(image) - 1 : null,
    dropped: dropped.has(row),
  };
}

function queueRow(kernel: FakeKernel, row: number, buffers: DataView[]): QueueRow {
  const { data } = kernel;
  const rank = data.flagged.indexOf(row);
  return {
    rank,
    given: data.classes[data.labels[row] ?? 0] ?? null,
    score: score(rank),
    verdict: kernel.verdicts.get(row) ?? null,
    preview: preview(kernel, row, buffers),
  };
}

function score(rank: number): number {
  return Math.max(0.05, 0.985 - rank * 0.0045);
}

function probabilities({ data, base }: FakeKernel, row: number) {
  const truth = data.truth[row] ?? 0;
  const given = base[row] ?? 0;
  const share = (code: number) => {
    if (code === truth) return 0.93;
    return code === given ? 0.018 : 0.04 / (1 + Math.abs(code - truth));
  };
  return data.classes
    .map((name, code) => ({ name, code, probability: share(code) }))
    .sort((a, b) => b.probability - a.probability);
}

function fields({ data }: FakeKernel, row: number) {
  return [
    { name: "id", value: data.keys[row] ?? "" },
    { name: "age", value: String(20 + (row % 50)) },
    { name: "country", value: ["DE", "FR", "PL"][row % 3] ?? "" },
    { name: "income_before_tax_in_euro", value: String(20_000 + row * 13) },
    { name: "note", value: "<b>called twice</b>, no answer" },
  ];
}
