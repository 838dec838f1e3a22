import type { QueueRow } from "../contract";
import { Paged } from "./paged";
import type { Actions } from "./state";

export { PAGE_SIZE } from "./paged";

export interface Line extends QueueRow {
  bytes: DataView | null;
}

/** Lines of the queue. */
export class Pages extends Paged<Line> {
  readonly #undecided: boolean;

  constructor(actions: Actions, undecided: boolean, fail: (reason: unknown) => void) {
    super(async (start, stop) => {
      const { result, buffers } = await actions.request("page", { start, stop, undecided });
      return { lines: result.rows.map((row) => withImage(row, buffers)), total: result.total };
    }, fail);
    this.#undecided = undecided;
  }

  /** Where a row stands, from the lines in memory or else from its rank; -1 when unknown. */
  indexOf(row: number, rank: number | null): number {
    const at = this.find((line) => line.preview.row === row);
    return at >= 0 || rank === null || this.#undecided ? at : rank;
  }
}

function withImage(row: QueueRow, buffers: DataView[]): Line {
  const { image } = row.preview;
  return { ...row, bytes: image === null ? null : (buffers[image] ?? null) };
}
