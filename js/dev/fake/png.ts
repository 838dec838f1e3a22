const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];

/** A grey PNG, not compressed. */
export function greyPng(pixels: Uint8Array, width: number, height: number): DataView {
  const head = new Uint8Array([...big(width), ...big(height), 8, 0, 0, 0, 0]);
  const raw = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    raw.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  }
  const parts = [chunk("IHDR", head), chunk("IDAT", stored(raw)), chunk("IEND", new Uint8Array())];
  return new DataView(Uint8Array.from([...SIGNATURE, ...parts.flat()]).buffer);
}

function stored(raw: Uint8Array): Uint8Array {
  const low = raw.length & 255;
  const high = raw.length >> 8;
  const head = [0x78, 1, 1, low, high, ~low & 255, ~high & 255];
  return Uint8Array.from([...head, ...raw, ...big(adler(raw))]);
}

function chunk(name: string, data: Uint8Array): number[] {
  const body = [...new TextEncoder().encode(name), ...data];
  return [...big(data.length), ...body, ...big(crc(body))];
}

function big(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function adler(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

function crc(bytes: readonly number[]): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}
