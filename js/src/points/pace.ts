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
