import { describe, expect, it } from "vitest";
import { makeData } from "../dev/fake/data";
import { FakeKernel } from "../dev/fake/kernel";
import { connect } from "../src/session/state";
import { tight, toBytes, toUint16, toUint32 } from "../src/wire/bytes";

const DATA = makeData("few", { rows: 30, classes: ["a", "b"], flagged: 5, kind: "table" });

function shifted(bytes: number[], by: number): DataView {
  const buffer = new Uint8Array([...new Array<number>(by).fill(99), ...bytes, 99, 99]).buffer;
  return new DataView(buffer, by, bytes.length);
}

describe("decoding", () => {
  it.each([0, 1, 2, 3])("honours a view that starts at byte %i of its buffer", (by) => {
    expect([...toBytes(shifted([1, 2, 3], by))]).toEqual([1, 2, 3]);
    expect([...toUint16(shifted([1, 0, 0, 1, 255, 255], by))]).toEqual([1, 256, 65535]);
    expect([...toUint32(shifted([1, 0, 0, 0, 0, 0, 1, 0], by))]).toEqual([1, 65536]);
  });

  it("takes a missing trait for an empty one, and leaves out half a number", () => {
    expect(toUint16(undefined)).toHaveLength(0);
    expect(toUint32(null)).toHaveLength(0);
    expect([...toUint16(shifted([1, 0, 7], 1))]).toEqual([1]);
  });

  it("sends a buffer that holds nothing but the bytes", () => {
    const part = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    expect([...new Uint8Array(tight(part))]).toEqual([2, 3]);
  });
});

describe("state", () => {
  it("has the traits of the host, decoded", () => {
    const { state } = connect(new FakeKernel(DATA), new AbortController().signal);
    expect(state.n_rows.value).toBe(30);
    expect(state.points.value).toHaveLength(60);
    expect(state.status.value.dataset).toBe("few");
    expect(state.current.value).toBe(-1);
  });

  it("keeps row 0 apart from no row", async () => {
    const kernel = new FakeKernel(DATA);
    const { state } = connect(kernel, new AbortController().signal);
    kernel.set("current", 0);
    await Promise.resolve();
    expect(state.current.value).toBe(0);
  });

  it("applies traits that change together in one go", async () => {
    const kernel = new FakeKernel(DATA);
    const { state } = connect(kernel, new AbortController().signal);
    const seen: string[] = [];
    const stop = state.current.subscribe((row) =>
      seen.push(`${row} ${state.selected_count.peek()}`),
    );
    kernel.set("current", 4);
    kernel.set("selected_count", 7);
    await Promise.resolve();
    stop();
    expect(seen).toEqual(["-1 0", "4 7"]);
  });

  it("has a default for a trait that the widget lacks", () => {
    const bare = new FakeKernel(DATA);
    for (const trait of ["queue", "points", "projection", "status"]) bare.set(trait, undefined);
    const { state } = connect(bare, new AbortController().signal);
    expect(state.queue.value).toBeNull();
    expect(state.points.value).toHaveLength(0);
    expect(state.projection.value.missing).toBe(0);
    expect(state.status.value.read_only).toBe(false);
  });

  it("says when the kernel is gone", () => {
    const kernel = new FakeKernel(DATA);
    const { state } = connect(kernel, new AbortController().signal);
    expect(state.connection.value).toBe("live");
    kernel.die();
    expect(state.connection.value).toBe("gone");
  });

  it("leaves no listener when its signal aborts", () => {
    const kernel = new FakeKernel(DATA);
    const controller = new AbortController();
    connect(kernel, controller.signal);
    expect(kernel.listeners).toBeGreaterThan(0);
    controller.abort();
    expect(kernel.listeners).toBe(0);
  });
});
