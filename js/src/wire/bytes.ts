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
