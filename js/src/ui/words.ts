import type { QueueInfo, Status, Verdict } from "../contract";

const VERDICTS: Record<Verdict, string> = {
  accepted: "fixed",
  kept: "kept",
  skipped: "skipped",
  unsure: "unsure",
};

export function verdictWord(verdict: Verdict): string {
  return VERDICTS[verdict];
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

export function reviewed(queue: QueueInfo): number {
  return queue.accepted + queue.kept + queue.skipped + queue.unsure;
}

/** "39 real · 7 kept"; what did not happen is left out. */
export function tally(queue: QueueInfo): string {
  const parts = [
    [queue.accepted, "real"],
    [queue.kept, "kept"],
    [queue.skipped, "skipped"],
    [queue.unsure, "unsure"],
  ] as const;
  const said = parts.filter(([n]) => n > 0).map(([n, word]) => `${n.toLocaleString("en")} ${word}`);
  return said.join(" · ");
}

/** "39 cells and 46 decisions". */
export function stagedWords(status: Status): string {
  const parts: string[] = [];
  if (status.staged > 0) parts.push(count(status.staged, "cell"));
  if (status.decisions > 0) parts.push(count(status.decisions, "decision"));
  return parts.join(" and ") || "Nothing";
}

export function score(value: number): string {
  return value.toFixed(2);
}

/** "12 %", and one digit more where it is little. */
export function percent(share: number): string {
  return `${digits(share)} %`;
}

/** "8.1–17 %". */
export function percents(low: number, high: number): string {
  return `${digits(low)}–${digits(high)} %`;
}

function digits(share: number): string {
  const value = share * 100;
  return value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0);
}
