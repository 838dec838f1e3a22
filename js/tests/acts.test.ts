import { describe, expect, it } from "vitest";
import { makeData } from "../dev/fake/data";
import { FakeKernel } from "../dev/fake/kernel";
import { actsOf } from "../src/session/acts";
import { connect } from "../src/session/state";

const SHAPE = { rows: 60, classes: ["a", "b", "e"], flagged: 6, kind: "table" } as const;
const REFUSED = { code: "class", message: "No class 'x'.", hint: "Use one of a, b, e." };

function session(options = {}) {
  const kernel = new FakeKernel(
    makeData("few", { ...SHAPE, classes: [...SHAPE.classes] }),
    options,
  );
  const { state, actions } = connect(kernel, new AbortController().signal);
  return { kernel, state, acts: actsOf(state, actions) };
}

function sent(kernel: FakeKernel, kind: string) {
  return kernel.received.filter((message) => message.kind === kind);
}

describe("acts", () => {
  it("typed faster than they are answered apply to one row after the other", async () => {
    const { kernel, acts } = session({ delay: 2 });
    void acts.step(1);
    void acts.accept();
    void acts.relabel("e");
    await acts.decide("kept");
    const [first, second, third] = kernel.data.flagged;
    expect(sent(kernel, "relabel")).toMatchObject([
      { rows: [first], to: kernel.data.classes[kernel.data.truth[first ?? 0] ?? 0], advance: true },
      { rows: [second], to: "e" },
    ]);
    expect(sent(kernel, "decide")).toMatchObject([{ row: third, verdict: "kept" }]);
  });

  it("send the reason once, with the decision it was written for", async () => {
    const { kernel, acts } = session();
    await acts.step(1);
    acts.reason.value = "  blurred ";
    await acts.accept();
    await acts.accept();
    expect(sent(kernel, "relabel")).toMatchObject([{ reason: "blurred" }, { reason: null }]);
  });

  it("that were typed on top of a failed one are given up, and the failure is shown", async () => {
    const { kernel, state, acts } = session({ delay: 2 });
    await acts.step(1);
    kernel.refuse.set("relabel", REFUSED);
    void acts.accept();
    await acts.decide("kept");
    expect(state.error.value).toEqual(REFUSED);
    expect(sent(kernel, "decide")).toHaveLength(0);
    await acts.decide("kept");
    expect(sent(kernel, "decide")).toHaveLength(1);
    expect(state.error.value).toBeNull();
  });

  it("change nothing on a read-only version, and say so", async () => {
    const { kernel, state, acts } = session({ read_only: true });
    await acts.step(1);
    await acts.accept();
    expect(sent(kernel, "relabel")).toHaveLength(0);
    expect(state.error.value?.code).toBe("read-only");
  });

  it("are refused at once when the kernel is gone", async () => {
    const { kernel, state, acts } = session();
    kernel.die();
    await acts.step(1);
    expect(kernel.received).toHaveLength(0);
    expect(state.error.value?.code).toBe("kernel-gone");
  });

  it("do not advance from a row that is not in the queue, and cannot decide on it", async () => {
    const { kernel, acts } = session();
    const row = kernel.data.keys.findIndex((_, at) => !kernel.data.flagged.includes(at));
    await acts.focus(row);
    await acts.relabel("b");
    expect(sent(kernel, "relabel")).toMatchObject([{ rows: [row], advance: false }]);
    await acts.decide("kept");
    expect(sent(kernel, "decide")).toHaveLength(0);
    expect(acts.notice.value).toBe("This row has no finding to decide on");
  });

  it("drop a row, and restore it when it is dropped", async () => {
    const { kernel, acts } = session();
    await acts.focus(1);
    await acts.toggleDropped();
    await acts.focus(1);
    await acts.toggleDropped();
    expect(kernel.received.map(({ kind }) => kind).filter((kind) => kind !== "item")).toEqual([
      "focus",
      "drop",
      "focus",
      "restore",
    ]);
  });
});
