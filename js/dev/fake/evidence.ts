import type { Evidence, Near, PastDecision, Twin } from "../../src/contract";
import { type Made, preview } from "./answers";
import type { FakeKernel } from "./kernel";

const NEAREST = 10;
const NO_VECTORS = "the dataset has no role that gives vectors, only label";

/** As much as the kernel's options say there is. */
export function evidenceOf(kernel: FakeKernel, row: number): Made {
  const { evidence: how = "full" } = kernel.options;
  const buffers: DataView[] = [];
  if (how !== "full") {
    return { result: { evidence: little(row, how === "working", kernel.why) }, buffers };
  }
  const { data, base } = kernel;
  const truth = data.classes[data.truth[row] ?? 0] ?? "";
  const given = data.classes[base[row] ?? 0] ?? null;
  const flagged = data.flagged.includes(row);
  const near = nearest(kernel, row).map((other, place) => similar(kernel, other, place, buffers));
  const evidence: Evidence = {
    ...little(row, false, null),
    neighbours: near,
    duplicates: twins(kernel, row, buffers),
    duplicate_total: row % 3,
    pair: flagged
      ? { given, suggestion: truth, ...{ rate: 0.124, low: 0.081, high: 0.17 }, ...tally(kernel) }
      : null,
    margin: -0.91,
    likeliest: truth,
    decisions: past(row),
    missing: { neighbours: null, duplicates: null, pair: null, margin: null },
  };
  return { result: { evidence }, buffers };
}

function little(row: number, working: boolean, why: string | null): Evidence {
  return {
    row,
    neighbours: [],
    duplicates: [],
    duplicate_total: 0,
    pair: null,
    margin: null,
    likeliest: null,
    decisions: [],
    missing: {
      neighbours: working ? "" : (why ?? NO_VECTORS),
      duplicates: working ? "" : (why ?? "the dataset has no text and no images"),
      pair: working ? "" : "these outlier findings carry no class probabilities",
      margin: "these outlier findings carry no class probabilities",
    },
  };
}

function tally({ verdicts, data }: FakeKernel) {
  const count = (verdict: string) => [...verdicts.values()].filter((v) => v === verdict).length;
  return { flagged: data.flagged.length, accepted: count("accepted"), kept: count("kept") };
}

function nearest({ data: { x, y, keys } }: FakeKernel, row: number): number[] {
  const far = (other: number) =>
    Math.hypot((x[other] ?? 0) - (x[row] ?? 0), (y[other] ?? 0) - (y[row] ?? 0));
  const others = keys.map((_, other) => other).filter((other) => other !== row);
  return others.sort((a, b) => far(a) - far(b)).slice(0, NEAREST);
}

function similar(kernel: FakeKernel, other: number, place: number, buffers: DataView[]): Near {
  const code = kernel.labels[other] ?? 0;
  return { preview: preview(kernel, other, buffers), code, similarity: 0.9 - place * 0.04 };
}

function twins(kernel: FakeKernel, row: number, buffers: DataView[]): Twin[] {
  const others = nearest(kernel, row).slice(0, row % 3);
  return others.map((other, place) => ({
    preview: preview(kernel, other, buffers),
    code: kernel.labels[other] ?? 0,
    kind: place === 0 ? "near" : "exact",
    split: place === 0 ? "test" : "train",
  }));
}

function past(row: number): PastDecision[] {
  if (row % 2 === 0) return [];
  return [
    {
      verdict: "unsure",
      by: "ada",
      time: new Date(Date.now() - 3 * 86_400_000).toISOString(),
      reason: "could be either",
      finding: "label-issue",
    },
  ];
}
