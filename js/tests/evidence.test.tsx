import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeData, type Shape } from "../dev/fake/data";
import { FakeKernel, type Options } from "../dev/fake/kernel";
import { type Look, mount } from "../src/host/widget";
import { RelabelForm } from "../src/widgets/relabel_form/view";

const FORM: Look = { name: "relabel-form", label: "Form", view: RelabelForm };
const DIGITS: Shape = { rows: 200, classes: [..."0123456789"], flagged: 60, kind: "image" };
const LONG = "returns and refunds of damaged parcels";
const MARKUP = "<img src=x onerror=alert(1)>";

let controller: AbortController;
let el: HTMLElement;

beforeEach(() => {
  controller = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
  URL.createObjectURL = vi.fn(() => "blob:x");
  URL.revokeObjectURL = vi.fn();
});

afterEach(() => {
  controller.abort();
  el.remove();
  vi.restoreAllMocks();
});

function show(shape: Partial<Shape> = {}, options: Options = {}): FakeKernel {
  const kernel = new FakeKernel(makeData("digits", { ...DIGITS, ...shape }), options);
  mount(FORM, kernel, el, controller.signal);
  return kernel;
}

function press(key: string): void {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  el.querySelector(".burnish")?.dispatchEvent(event);
}

function part(): HTMLElement {
  return el.querySelector("[aria-label=Evidence]") as HTMLElement;
}

function said(): string {
  return part()?.querySelector(".b-why")?.textContent ?? "";
}

function asked(kernel: FakeKernel): number[] {
  return kernel.received.flatMap((sent) => (sent.kind === "evidence" ? [sent.row] : []));
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 3000 });
}

describe("the evidence", () => {
  it("says how the nearest rows are labelled, how often the pair is confused, and the rest", async () => {
    show();
    press("n");
    await until(() => expect(said()).toMatch(/\d+ of 10 nearest rows are \d/));
    expect(said()).toMatch(/12 % of \d look like \d \(8\.1–17 %\)/);
    expect(said()).toMatch(/no duplicates|duplicates? labelled/);
    expect(said()).toMatch(/the model prefers \d by 0\.91$/);
  });

  it("shows the nearest rows as pictures with their labels", async () => {
    const kernel = show();
    press("n");
    await until(() => expect(part().querySelectorAll("ol li img")).toHaveLength(10));
    const names = [...part().querySelectorAll("ol li")].map((one) => one.textContent);
    expect(names.every((name) => kernel.data.classes.includes(name ?? ""))).toBe(true);
    expect(part().querySelectorAll("ol .b-dot")).toHaveLength(10);
  });

  it("gathers long labels, each with its count", async () => {
    const classes = [`${LONG} 1`, `${LONG} 2`];
    show({ classes, kind: "text" });
    press("n");
    await until(() => expect(part().querySelector(".b-near-labels")).not.toBeNull());
    const lines = [...part().querySelectorAll(".b-near-labels li")].map((one) => one.textContent);
    expect(lines.length).toBeLessThanOrEqual(2);
    const counts = lines.map((line) => Number(/×(\d+)$/.exec(line ?? "")?.[1] ?? 1));
    expect(counts.reduce((sum, n) => sum + n)).toBe(10);
  });

  it("counts what came of the pair so far", async () => {
    show();
    for (const key of ["n", "Enter", "k"]) press(key);
    await until(() => expect(said()).toContain("; 1 accepted, 1 kept"));
  });

  it("shows earlier decisions with their reason", async () => {
    const kernel = show();
    press("n");
    for (let i = 0; i < 4 && (kernel.data.flagged[i] ?? 0) % 2 === 0; i++) press("n");
    await until(() =>
      expect(part().querySelector(".b-past")?.textContent).toContain("unsure by ada"),
    );
    expect(part().querySelector("q")?.textContent).toBe("could be either");
  });

  it("is asked for only once the row is shown and stays", async () => {
    const kernel = show();
    for (const key of ["n", "k", "k", "k"]) press(key);
    await until(() => expect(asked(kernel)).toHaveLength(1));
    expect(asked(kernel)).toEqual([kernel.data.flagged[3]]);
    const kinds = kernel.received.map(({ kind }) => kind);
    expect(kinds.indexOf("evidence")).toBeGreaterThan(kinds.lastIndexOf("item"));
  });

  it("does not show that of the row before while it is on its way", async () => {
    const kernel = show();
    press("n");
    await until(() => expect(part().getAttribute("aria-busy")).toBe("false"));
    press("n");
    await until(() => expect(kernel.current).toBe(kernel.data.flagged[1]));
    await until(() => expect(part().getAttribute("aria-busy")).toBe("true"));
    await until(() => expect(part().getAttribute("aria-busy")).toBe("false"));
  });

  it("says what is being computed, and shows it when it is there", async () => {
    const kernel = show({}, { evidence: "working" });
    press("n");
    await until(() =>
      expect(said()).toBe(
        "looking for the nearest rows… · looking for duplicates…".replace(" · ", ""),
      ),
    );
    expect(part().querySelector(".b-bone-near")).not.toBeNull();
    kernel.options = { ...kernel.options, evidence: "full" };
    kernel.evidence_seq++;
    kernel.publish();
    await until(() => expect(said()).toContain("nearest rows are"));
    expect(asked(kernel)).toHaveLength(2);
  });

  it("says why there is nothing", async () => {
    show({ kind: "table" }, { evidence: "none" });
    press("n");
    await until(() => expect(said()).toContain("no nearest rows: the dataset has no role"));
    expect(said()).toContain("duplicates unknown: the dataset has no text and no images");
    expect(part().querySelectorAll("ol, .b-bone")).toHaveLength(0);
  });

  it("gives one reason once", async () => {
    const kernel = show({ kind: "table" }, { evidence: "none" });
    kernel.why = "no column has a role that can be drawn";
    press("n");
    await until(() =>
      expect(said()).toBe(
        "nearest rows and duplicates unknown: no column has a role that can be drawn",
      ),
    );
  });

  it("counts duplicates by label, and those in another split", async () => {
    const kernel = show();
    press("n");
    for (let i = 0; i < 6 && (kernel.data.flagged[i] ?? 0) % 3 !== 2; i++) press("n");
    await until(() =>
      expect(said()).toMatch(/1 exact and 1 near duplicates labelled .*; 1 not in train/),
    );
  });

  it("shows labels with markup as text", async () => {
    const kernel = show({ classes: [MARKUP, "b"], kind: "text" });
    kernel.data.texts?.fill(MARKUP);
    press("n");
    await until(() => expect(said()).toContain(MARKUP));
    expect(part().querySelectorAll("img")).toHaveLength(0);
  });

  it("says what failed and leaves the row as it is", async () => {
    const kernel = show();
    kernel.refuse.set("evidence", { code: "x", message: "It broke.", hint: "Try again." });
    press("n");
    await until(() => expect(el.textContent).toContain("It broke. Try again."));
    expect(el.querySelector(".b-decision-row")).not.toBeNull();
  });

  it("asks for nothing after the view is gone", async () => {
    const kernel = show();
    press("n");
    await until(() => expect(el.querySelector(".b-form")).not.toBeNull());
    controller.abort();
    await new Promise((done) => setTimeout(done, 200));
    expect(asked(kernel)).toEqual([]);
    expect(kernel.listeners).toBe(0);
  });
});
