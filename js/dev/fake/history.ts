import type { GraphInfo, VersionDetail, VersionLine } from "../../src/contract";
import { random } from "./data";
import type { FakeKernel } from "./kernel";

export interface FakeVersion {
  id: string;
  name: string;
  message: string;
  author: string;
  time: string;
  cells: number;
  parents: string[];
  labels: number[];
}

export type Shape = "linear" | "merges" | "many";

const MESSAGES = [
  "Refund mails were labelled positive",
  "Digits that were cut off at the border",
  "Eights read as threes, after the second opinion of two people who did not see the first labels and wrote down why",
  "Drop scans that are blank",
  "Accept the suggestions above 0.95",
  "Ones with a foot are not sevens",
];
const AUTHORS = ["ada", "grace", "a.lovelace@example.org"];
const HOUR = 3_600_000;

/** A history of so many versions besides the first, oldest first. */
export function makeHistory(kernel: FakeKernel, n: number, shape: Shape): FakeVersion[] {
  const next = random(7);
  const made: FakeVersion[] = [];
  for (let number = 0; number <= n; number++) {
    made.push({
      id: idOf(number),
      name: `v${number}`,
      message: number === 0 ? "create" : (MESSAGES[number % MESSAGES.length] ?? ""),
      author: AUTHORS[number % AUTHORS.length] ?? "",
      time: new Date(Date.now() - (n - number) ** 1.4 * HOUR).toISOString(),
      cells: number === 0 ? 0 : 1 + Math.floor(next() * 240),
      parents: parentsOf(number, shape).map(idOf),
      labels: [...kernel.base],
    });
  }
  return made;
}

function idOf(number: number): string {
  return (Math.imul(number + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0").repeat(8);
}

/** The last number is on the first line of parents. */
function parentsOf(number: number, shape: Shape): number[] {
  if (number === 0) return [];
  if (shape === "many") return [Math.max(0, number - 1 - (number % 9))];
  if (shape === "linear" || number < 5) return [number - 1];
  const place = number % 7;
  if (place === 3) return [number - 3];
  if (place === 5) return [number - 3];
  if (place === 6) return [number - 1, number - 2];
  if (place === 4) return [number - 1];
  return [number - 1];
}

interface Row {
  lane: number;
  into: number[];
  out: number[];
  past: number[];
}

/** As `burnish.session.graph` lays out. */
function layOut(edges: readonly (readonly [id: string, parents: string[]])[], head: string): Row[] {
  const above = new Map(edges);
  const main = new Set<string>();
  for (let step: string | undefined = head; step !== undefined; step = above.get(step)?.[0]) {
    main.add(step);
  }
  const lanes = new Map<number, string>();
  const free = () => {
    let lane = 1;
    while (lanes.has(lane)) lane++;
    return lane;
  };
  return edges.map(([id, parents]) => {
    const into = [...lanes].flatMap(([lane, target]) => (target === id ? [lane] : [])).sort();
    for (const lane of into) lanes.delete(lane);
    const past = [...lanes.keys()];
    const lane = main.has(id) ? 0 : (into.find((lane) => lane > 0) ?? free());
    const out = parents.map((parent) => {
      const straight = !lanes.has(lane) && (lane > 0 || main.has(parent));
      const taken = straight ? lane : free();
      lanes.set(taken, parent);
      return taken;
    });
    return { lane, into, out, past };
  });
}

export function linesOf(kernel: FakeKernel): VersionLine[] {
  const { history } = kernel;
  const head = history.at(-1)?.id ?? "";
  const staged = kernel.stagedCells > 0;
  const edges: (readonly [string, string[]])[] = [...history]
    .reverse()
    .map(({ id, parents }) => [id, parents] as const);
  if (staged) edges.unshift(["", [head]]);
  const rows = layOut(edges, staged ? "" : head);
  return edges.map(([id], index) => {
    const version = history.find((known) => known.id === id);
    const row = rows[index] as Row;
    return {
      id,
      name: version?.name ?? "",
      message: version?.message ?? `${kernel.stagedCells} cells of label`,
      author: version?.author ?? "ada",
      time: version?.time ?? new Date().toISOString(),
      cells: version?.cells ?? kernel.stagedCells,
      branches: id === head ? ["main"] : version?.name === "v6" ? ["alice"] : [],
      tags: ["v2", "v36"].includes(version?.name ?? "") ? ["release-1"] : [],
      ...row,
    };
  });
}

export function graphOf(kernel: FakeKernel): GraphInfo {
  const lines = linesOf(kernel);
  const { history } = kernel;
  const head_id = history.at(-1)?.id ?? "";
  const lanes = Math.max(...lines.map((row) => Math.max(row.lane, ...row.out, ...row.past) + 1));
  return {
    total: lines.length,
    versions: history.length,
    lanes,
    staged: kernel.stagedCells,
    decisions: 0,
    head: lines.findIndex((line) => line.id === head_id),
    head_id,
    viewing: kernel.viewing === null ? -1 : lines.findIndex((line) => line.id === kernel.viewing),
    seq: kernel.seq,
  };
}

export function detailOf(kernel: FakeKernel, id: string): VersionDetail {
  const index = linesOf(kernel).findIndex((line) => line.id === id);
  const line = linesOf(kernel)[index] as VersionLine;
  const version = kernel.history.find((known) => known.id === id);
  const parents = version?.parents ?? [kernel.history.at(-1)?.id ?? ""];
  const names = new Map(kernel.history.map((known) => [known.id, known.name]));
  const flow = flowOf(kernel, line.cells);
  const { name, message, author, time, cells, branches, tags } = line;
  const dropped = cells > 40 ? 10 : 0;
  const columns = [{ name: "label", cells: cells - dropped, unit: "cell" as const }];
  return {
    id,
    index,
    name,
    message,
    author,
    time,
    parents: parents.map((parent) => ({ id: parent, name: names.get(parent) ?? "" })),
    branches,
    tags,
    rows: kernel.data.keys.length,
    cells,
    columns: [
      ...(cells > 0 ? columns : []),
      ...(dropped > 0 ? [{ name: "dropped", cells: dropped, unit: "row" as const }] : []),
    ],
    flow,
    flow_total: flow.reduce((sum, { cells }) => sum + cells, 0),
    flow_pairs: flow.length,
    reasons: cells > 20 ? [{ text: "neighbours agree", count: cells - 12 }] : [],
    findings: cells > 20 ? [{ text: "label-issue:5e1c0a94", count: cells - 10 }] : [],
    decisions:
      cells > 60
        ? [
            { text: "accepted", count: cells - 30 },
            { text: "kept", count: 7 },
          ]
        : [],
    links:
      cells > 60
        ? [
            { kind: "evaluation", name: "accuracy, v0 → v3", value: "0.931 → 0.958" },
            { kind: "export", name: "train.parquet", value: "1,790 rows" },
          ]
        : [],
  };
}

function flowOf({ data }: FakeKernel, cells: number) {
  const pairs = [];
  let left = cells;
  for (let i = 0; left > 0 && i < 12; i++) {
    const n = i === 11 ? left : Math.max(1, Math.floor(left * 0.45));
    left -= n;
    const old_code = (i * 3 + 8) % data.classes.length;
    const new_code = (i * 5 + 3) % data.classes.length;
    pairs.push({
      old: data.classes[old_code] ?? null,
      new: data.classes[new_code] ?? null,
      old_code,
      new_code,
      cells: n,
    });
  }
  return pairs;
}
