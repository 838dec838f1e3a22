import { NO_CLASS } from "../contract";
import { sameRows } from "./bits";
import { type Range, Ranges } from "./ranges";

/** Bits of a point's state byte. */
export const HIDDEN = 1;
export const FLAGGED = 2;
export const SELECTED = 4;

/** What changed since a painter last looked. */
export interface Changes {
  readonly geometry: boolean;
  readonly codes: readonly Range[];
  readonly states: readonly Range[];
  readonly palette: boolean;
}

/** The arrays that a picture is drawn from, and which of their parts are new. */
export class Scene {
  xy: Uint16Array = new Uint16Array(0);
  /** where the points come from while a new projection settles */
  from: Uint16Array | null = null;
  codes: Uint16Array = new Uint16Array(0);
  states: Uint8Array = new Uint8Array(0);
  /** RGBA per class, the colour of rows without a class last */
  palette: Uint8Array = new Uint8Array([128, 128, 128, 255]);
  private readonly bitmaps = new Map<number, Uint8Array>();
  private readonly newCodes = new Ranges();
  private readonly newStates = new Ranges();
  private newGeometry = true;
  private newPalette = true;
  private overlaid: Uint32Array = new Uint32Array(0);
  private head: Uint16Array = new Uint16Array(0);

  get rows(): number {
    return this.xy.length >> 1;
  }

  setPoints(xy: Uint16Array): void {
    this.from = null;
    this.newGeometry = true;
    if (xy.length !== this.xy.length) this.resize(xy.length >> 1);
    this.xy = xy;
  }

  private resize(rows: number): void {
    this.states = new Uint8Array(rows);
    const codes = new Uint16Array(rows).fill(NO_CLASS);
    codes.set(this.head.subarray(0, rows));
    this.codes = codes;
    for (const [bit, bitmap] of this.bitmaps) this.spread(bit, new Uint8Array(0), bitmap, rows);
  }

  /** Codes of the head version with the staged changes laid over them. */
  setCodes(head: Uint16Array, changedRows: Uint32Array, changedCodes: Uint16Array): void {
    if (head !== this.head) this.replaceCodes(head);
    this.lay(this.overlaid, (row) => head[row] ?? NO_CLASS);
    this.lay(changedRows, (_, i) => changedCodes[i] ?? NO_CLASS);
    this.overlaid = changedRows;
  }

  private replaceCodes(head: Uint16Array): void {
    this.head = head;
    this.codes.fill(NO_CLASS);
    this.codes.set(head.subarray(0, this.codes.length));
    this.newCodes.add(0, this.codes.length);
    this.overlaid = new Uint32Array(0);
  }

  private lay(rows: Uint32Array, code: (row: number, i: number) => number): void {
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      const value = code(row, i);
      if (row >= this.codes.length || this.codes[row] === value) continue;
      this.codes[row] = value;
      this.newCodes.add(row);
    }
  }

  /** False when the bitmap names the same rows as before. */
  setState(bit: number, bitmap: Uint8Array): boolean {
    const old = this.bitmaps.get(bit) ?? new Uint8Array(0);
    this.bitmaps.set(bit, bitmap);
    if (old === bitmap || sameRows(old, bitmap)) return false;
    this.spread(bit, old, bitmap, this.rows);
    return true;
  }

  private spread(bit: number, old: Uint8Array, next: Uint8Array, rows: number): void {
    const bytes = Math.min(Math.max(old.length, next.length), (rows + 7) >> 3);
    for (let byte = 0; byte < bytes; byte++) {
      const value = next[byte] ?? 0;
      if (value !== (old[byte] ?? 0)) this.spreadByte(bit, byte, value, rows);
    }
  }

  private spreadByte(bit: number, byte: number, value: number, rows: number): void {
    const stop = Math.min(byte * 8 + 8, rows);
    for (let row = byte * 8; row < stop; row++) {
      const state = this.states[row] as number;
      this.states[row] = (value >> (row & 7)) & 1 ? state | bit : state & ~bit;
    }
    this.newStates.add(byte * 8, stop);
  }

  setPalette(palette: Uint8Array): void {
    this.palette = palette;
    this.newPalette = true;
  }

  has(row: number, bit: number): boolean {
    return ((this.states[row] ?? 0) & bit) !== 0;
  }

  /** Alpha of the class of a row: 0 when the legend filters it out. */
  alphaOf(row: number): number {
    const last = this.palette.length / 4 - 1;
    return this.palette[Math.min(this.codes[row] ?? NO_CLASS, last) * 4 + 3] ?? 0;
  }

  take(): Changes {
    const changes = {
      geometry: this.newGeometry,
      codes: this.newCodes.take(),
      states: this.newStates.take(),
      palette: this.newPalette,
    };
    this.newGeometry = false;
    this.newPalette = false;
    return changes;
  }

  /** Everything is new: a painter starts, or starts again after a lost context. */
  touch(): void {
    this.newGeometry = true;
    this.newPalette = true;
  }
}
