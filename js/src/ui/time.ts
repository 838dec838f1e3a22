import { useEffect, useState } from "preact/hooks";

const STEPS: readonly (readonly [seconds: number, word: string])[] = [
  [60 * 60 * 24, "day"],
  [60 * 60, "hour"],
  [60, "minute"],
];
const DAYS_IN_WORDS = 7;
const MINUTE = 60_000;

/** The time now, in steps of a minute. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** "2 hours ago"; the date where it is longer ago than a week, or not yet. */
export function relative(iso: string, now: number): string {
  const seconds = (now - Date.parse(iso)) / 1000;
  if (seconds < -90 || seconds >= DAYS_IN_WORDS * 86_400) return date(iso);
  const [length, word] = STEPS.find(([length]) => seconds >= length) ?? [0, ""];
  if (length === 0) return "just now";
  const n = Math.floor(seconds / length);
  return `${n} ${word}${n === 1 ? "" : "s"} ago`;
}

export function date(iso: string): string {
  return new Date(iso).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}

/** In the reader's own time zone. */
export function absolute(iso: string): string {
  const when = new Date(iso);
  const time = when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return `${date(iso)}, ${time}`;
}
