import type { ClassInfo } from "../contract";

export type Command =
  | { name: "step"; by: 1 | -1 }
  | { name: "accept" }
  | { name: "decide"; verdict: "kept" | "skipped" | "unsure" }
  | { name: "relabel"; to: string }
  | { name: "drop" }
  | { name: "undo" }
  | { name: "redo" }
  | { name: "search_class" }
  | { name: "move"; by: 1 | -1 }
  | { name: "view" }
  | { name: "return" }
  | { name: "revert" }
  | { name: "help" };

const FIXED: Record<string, Command> = {
  n: { name: "step", by: 1 },
  p: { name: "step", by: -1 },
  ArrowDown: { name: "step", by: 1 },
  ArrowUp: { name: "step", by: -1 },
  Enter: { name: "accept" },
  k: { name: "decide", verdict: "kept" },
  s: { name: "decide", verdict: "skipped" },
  u: { name: "decide", verdict: "unsure" },
  z: { name: "undo" },
  Z: { name: "redo" },
  d: { name: "drop" },
  c: { name: "search_class" },
  "?": { name: "help" },
};
/** Keys of the map: a class does not get them. */
const OF_THE_MAP = ["x", "/"];

type Help = readonly (readonly [keys: string[], meaning: string])[];

const REVIEW_HELP: Help = [
  [["n", "↓"], "next row"],
  [["p", "↑"], "previous row"],
  [["↵"], "accept the suggestion"],
  [["k"], "keep the given label"],
  [["s"], "skip"],
  [["u"], "unsure"],
  [["d"], "drop the row, or restore it"],
  [["c"], "choose a class by name"],
  [["z"], "undo"],
  [["Shift z"], "redo"],
  [["?"], "show or hide this help"],
];

const OF_HISTORY: Record<string, Command> = {
  n: { name: "move", by: 1 },
  p: { name: "move", by: -1 },
  ArrowDown: { name: "move", by: 1 },
  ArrowUp: { name: "move", by: -1 },
  Enter: { name: "view" },
  Escape: { name: "return" },
  r: { name: "revert" },
  z: { name: "undo" },
  Z: { name: "redo" },
  "?": { name: "help" },
};

const HISTORY_HELP: Help = [
  [["n", "↓"], "older version"],
  [["p", "↑"], "newer version"],
  [["↵"], "view the version in all widgets"],
  [["Esc"], "return to the branch"],
  [["r"], "revert the version"],
  [["z"], "undo what is staged"],
  [["Shift z"], "redo"],
  [["?"], "show or hide this help"],
];

/** What the keys of a widget mean. */
export interface Keymap {
  fixed: Readonly<Record<string, Command>>;
  help: Help;
  /** whether the other keys pick classes */
  classes: boolean;
}

export const REVIEW: Keymap = { fixed: FIXED, help: REVIEW_HELP, classes: true };
export const HISTORY: Keymap = { fixed: OF_HISTORY, help: HISTORY_HELP, classes: false };

/** The part of a keyboard event that decides. */
export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  repeat: boolean;
  isComposing: boolean;
  defaultPrevented: boolean;
  target: EventTarget | null;
}

/** What a key press asks for, null when it is not ours. */
export function commandFor(
  press: Press,
  classes: readonly ClassInfo[],
  keys: Keymap = REVIEW,
): Command | null {
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  if (press.isComposing || press.defaultPrevented || isTaken(press)) return null;
  const command = keys.fixed[press.key] ?? (keys.classes ? classCommand(press.key, classes) : null);
  if (press.repeat && command?.name !== "step" && command?.name !== "move") return null;
  return command;
}

/** The key that picks a class, null when a fixed command has it. */
export function keycapOf(info: ClassInfo): string | null {
  const { keycap } = info;
  return keycap === null || keycap in FIXED || OF_THE_MAP.includes(keycap) ? null : keycap;
}

function classCommand(key: string, classes: readonly ClassInfo[]): Command | null {
  const found = classes.find((info) => keycapOf(info) === key);
  return found ? { name: "relabel", to: found.name } : null;
}

function isTaken({ key, target }: Press): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select, [contenteditable]:not([contenteditable=false])")) {
    return true;
  }
  if (key === "Enter") return target.closest("button, a, summary, [role=option]") !== null;
  if (key.startsWith("Arrow")) return target.closest("[data-scrolls], [role=menu]") !== null;
  return false;
}
