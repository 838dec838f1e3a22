import { STRIDES } from "./painter";

const SLOW = 36;
const FAST = 14;
const ENOUGH = 20_000;

/** While the picture moves, draws as many points as the machine manages at a smooth rate. */
export class Pace {
  private step = 0;

  every(rows: number): number {
    const most = STRIDES.findLastIndex((stride) => rows / stride >= ENOUGH);
    this.step = Math.min(this.step, Math.max(most, 0));
    return STRIDES[this.step] as number;
  }

  /** How long a moving frame took, in milliseconds. */
  took(time: number): void {
    if (time > SLOW && this.step < STRIDES.length - 1) this.step++;
    else if (time < FAST && this.step > 0) this.step--;
  }
}

const FEW = 4000;

/** Every so manieth of a long list of rows; the last answer is kept, so that it stays one list. */
export class Thinned {
  private rows: Uint32Array = new Uint32Array(0);
  private every = 1;
  private answer: Uint32Array = this.rows;

  of(rows: Uint32Array, every: number): Uint32Array {
    if (every === 1 || rows.length < FEW) return rows;
    if (rows !== this.rows || every !== this.every) {
      this.answer = rows.filter((_, i) => i % every === 0);
      this.rows = rows;
      this.every = every;
    }
    return this.answer;
  }
}
