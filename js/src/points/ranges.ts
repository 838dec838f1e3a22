/** Half-open ranges of rows whose bytes changed, merged when they lie close together. */
export type Range = readonly [start: number, stop: number];

const GAP = 4096;

export class Ranges {
  private list: [number, number][] = [];

  /** Rows must come in ascending order between two calls of `take`. */
  add(start: number, stop = start + 1): void {
    const last = this.list.at(-1);
    if (last && start >= last[0] && start <= last[1] + GAP) last[1] = Math.max(last[1], stop);
    else this.list.push([start, stop]);
  }

  take(): Range[] {
    const taken = this.list;
    this.list = [];
    return taken;
  }
}
