import { describe, expect, it, vi } from "vitest";
import { makeData } from "../dev/fake/data";
import { FakeKernel } from "../dev/fake/kernel";
import { PAGE_SIZE, Pages } from "../src/session/pages";
import { connect } from "../src/session/state";

function listing(undecided = false) {
  const shape = { rows: 700, classes: ["a", "b"], flagged: 130, kind: "image" } as const;
  const kernel = new FakeKernel(makeData("few", { ...shape, classes: ["a", "b"] }));
  const { actions } = connect(kernel, new AbortController().signal);
  const failures: unknown[] = [];
  const pages = new Pages(actions, undecided, (reason) => failures.push(reason));
  pages.follow("0");
  const asked = () => kernel.received.map((message) => (message as { start: number }).start);
  return { kernel, pages, failures, asked };
}

async function arrived(pages: Pages, times: number): Promise<void> {
  await vi.waitFor(() => expect(pages.arrived.value).toBe(times));
}

describe("pages of the list", () => {
  it("are asked for when a line of theirs is needed, and once", async () => {
    const { pages, asked } = listing();
    pages.need(10, 20);
    pages.need(0, 30);
    await arrived(pages, 1);
    pages.need(0, PAGE_SIZE);
    expect(asked()).toEqual([0]);
    pages.need(PAGE_SIZE - 1, PAGE_SIZE + 1);
    await arrived(pages, 2);
    expect(asked()).toEqual([0, PAGE_SIZE]);
  });

  it("give lines by index, with their image", async () => {
    const { kernel, pages } = listing();
    pages.need(0, 130);
    await arrived(pages, 3);
    expect(pages.line(120)?.preview.row).toBe(kernel.data.flagged[120]);
    expect(pages.line(120)?.bytes).toBe(kernel.data.images?.[kernel.data.flagged[120] ?? -1]);
    expect(pages.line(130)).toBeUndefined();
    expect(pages.total.value).toBe(130);
  });

  it("stay in sight, out of date, until their successor is there", async () => {
    const { pages, asked } = listing();
    pages.need(0, 10);
    await arrived(pages, 1);
    pages.follow("1");
    pages.need(0, 10);
    expect(pages.line(0)).toBeDefined();
    await arrived(pages, 2);
    expect(asked()).toEqual([0, 0]);
  });

  it("tell where a row stands, from memory or from its rank", async () => {
    const { kernel, pages } = listing();
    pages.need(0, 10);
    await arrived(pages, 1);
    expect(pages.indexOf(kernel.data.flagged[7] ?? -1, null)).toBe(7);
    expect(pages.indexOf(kernel.data.flagged[99] ?? -1, 99)).toBe(99);
    expect(pages.indexOf(5, null)).toBe(-1);
  });

  it("are asked for one at a time, however fast the queue changes", async () => {
    const { pages, asked } = listing();
    for (let seq = 0; seq < 20; seq++) {
      pages.follow(String(seq));
      pages.need(0, 10);
    }
    await arrived(pages, 2);
    expect(asked()).toEqual([0, 0]);
  });

  it("are asked for again after a failure when the queue changed", async () => {
    const { kernel, pages, failures } = listing();
    kernel.refuse.set("page", { code: "x", message: "no", hint: "" });
    pages.need(0, 10);
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    pages.need(0, 10);
    expect(pages.line(0)).toBeUndefined();
    pages.follow("1");
    pages.need(0, 10);
    await arrived(pages, 1);
  });

  it("leave decided rows out when told", async () => {
    const { kernel, pages } = listing(true);
    kernel.verdicts.set(kernel.data.flagged[0] ?? -1, "kept");
    pages.need(0, 10);
    await arrived(pages, 1);
    expect(pages.line(0)?.preview.row).toBe(kernel.data.flagged[1]);
    expect(pages.total.value).toBe(129);
  });
});
