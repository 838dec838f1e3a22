/** Every decoding of binary traits and buffers. Numbers on the wire are little-endian. */

type Bytes = DataView | ArrayBuffer | Uint8Array | null | undefined;

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The bytes themselves, not copied. */
export function toBytes(value: Bytes): Uint8Array<ArrayBuffer> {
  if (value === null || value === undefined) return new Uint8Array(0);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
}

export function toUint16(value: Bytes): Uint16Array<ArrayBuffer> {
  const bytes = aligned(whole(toBytes(value), 2), 2);
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
}

export function toUint32(value: Bytes): Uint32Array<ArrayBuffer> {
  const bytes = aligned(whole(toBytes(value), 4), 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

export function hasBit(bitmap: Uint8Array, row: number): boolean {
  return row >= 0 && (((bitmap[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
}

export function setBit(bitmap: Uint8Array, row: number, on: boolean): void {
  const byte = bitmap[row >> 3] ?? 0;
  const mask = 1 << (row & 7);
  bitmap[row >> 3] = on ? byte | mask : byte & ~mask;
}

export function emptyBitmap(rows: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((rows + 7) >> 3);
}

/** A buffer that holds these bytes and nothing else, as the comm wants it. */
export function tight(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}

function whole(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  return bytes.subarray(0, bytes.byteLength - (bytes.byteLength % size));
}

function aligned(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (LITTLE) return bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const copy = bytes.slice();
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
  return copy;
}
