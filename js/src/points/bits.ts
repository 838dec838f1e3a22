/** Bitmaps over rows: row i is bit i & 7 of byte i >> 3. */

export function hasBit(bitmap: Uint8Array, row: number): boolean {
  return row >= 0 && (((bitmap[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
}

export function setBit(bitmap: Uint8Array, row: number): void {
  const byte = row >> 3;
  bitmap[byte] = (bitmap[byte] ?? 0) | (1 << (row & 7));
}

export function emptyBits(rows: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((rows + 7) >> 3);
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => countOnes(byte));

function countOnes(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) ones++;
  return ones;
}

export function countBits(bitmap: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < bitmap.length; i++) total += ONES[bitmap[i] as number] as number;
  return total;
}

/** The rows whose bit is set, ascending. */
export function rowsOf(bitmap: Uint8Array, rows: number): Uint32Array<ArrayBuffer> {
  const found = new Uint32Array(countBits(bitmap));
  let n = 0;
  for (let byte = 0; byte < bitmap.length; byte++) {
    for (let rest = bitmap[byte] as number; rest > 0; rest &= rest - 1) {
      const row = byte * 8 + 31 - Math.clz32(rest & -rest);
      if (row < rows) found[n++] = row;
    }
  }
  return n === found.length ? found : found.slice(0, n);
}

/** Whether two bitmaps name the same rows, whatever their lengths. */
export function sameRows(a: Uint8Array, b: Uint8Array): boolean {
  const longer = a.length >= b.length ? a : b;
  const shorter = longer === a ? b : a;
  return longer.every((byte, i) => byte === (shorter[i] ?? 0));
}

export function sameNumbers(a: Uint16Array, b: Uint16Array): boolean {
  return a === b || (a.length === b.length && a.every((value, i) => value === b[i]));
}
