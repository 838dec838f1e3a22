import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeData, type Shape } from "../../../dev/fake/data";
import { FakeKernel, type Options } from "../../../dev/fake/kernel";
import type { SummaryResult } from "../../contract";
import { type Look, mount } from "../../host/widget";
import { hasBit } from "../../points/bits";
import { matching } from "../../ui/class_search";
import { said } from "./bulk_bar";
import { toggled } from "./legend";
import { MapView } from "./view";

const MAP: Look = { name: "embedding-map", label: "Map", view: MapView };
const DIGITS: Shape = { rows: 200, classes: [..."0123456789"], flagged: 60, kind: "image" };
const MARKUP = "<img src=x onerror=alert(1)>";

let controller: AbortController;
let el: HTMLElement;

beforeEach(() => {
  controller = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
  HTMLCanvasElement.prototype.getContext = vi.fn(() => null);
  Element.prototype.setPointerCapture = vi.fn();
  URL.createObjectURL = vi.fn(() => "blob:x");
  URL.revokeObjectURL = vi.fn();
  vi.stubGlobal("ResizeObserver", Resized);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(400);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(600);
});

afterEach(() => {
  controller.abort();
  el.remove();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Tells the size once, as a browser does when it starts to observe. */
class Resized implements ResizeObserver {
  static readonly live = new Set<Resized>();
  constructor(private readonly callback: ResizeObserverCallback) {}
  observe(): void {
    Resized.live.add(this);
    queueMicrotask(() => this.callback([], this));
  }
  unobserve(): void {}
  disconnect(): void {
    Resized.live.delete(this);
  }
}

function show(shape: Partial<Shape> = {}, options: Options = {}): FakeKernel {
  const kernel = new FakeKernel(makeData("digits", { ...DIGITS, ...shape }), options);
  mount(MAP, kernel, el, controller.signal);
  return kernel;
}

function find(selector: string): HTMLElement {
  const found = el.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
}

function surface(): HTMLElement {
  return find(".b-map-stage canvas:last-child");
}

function point(type: string, x: number, y: number): void {
  const event = new MouseEvent(type, { clientX: x, clientY: y, bubbles: true, button: 0 });
  surface().dispatchEvent(Object.assign(event, { pointerId: 1 }));
}

function drag(corners: readonly (readonly [number, number])[]): void {
  const [first, ...rest] = corners;
  if (first) point("pointerdown", ...first);
  for (const corner of rest) point("pointermove", ...corner);
  point("pointerup", ...(corners.at(-1) ?? [0, 0]));
}

const EVERYTHING = [
  [0, 0],
  [600, 0],
  [600, 400],
  [0, 400],
] as const;

function press(key: string): void {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  find(".burnish").dispatchEvent(event);
}

function requests(kernel: FakeKernel, kind: string) {
  return kernel.received.filter((request) => request.kind === kind);
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 3000 });
}

async function ready(): Promise<void> {
  await until(() => expect(el.querySelector(".b-map-tools")).not.toBeNull());
  await new Promise((resolve) => setTimeout(resolve, 60));
}

describe("selecting on the map", () => {
  it("sends one bitmap for a lasso and shows what was selected", async () => {
    const kernel = show();
    await ready();
    drag(EVERYTHING);
    await until(() => expect(el.textContent).toContain("200 rows"));
    expect(requests(kernel, "select")).toEqual([
      expect.objectContaining({ revision: kernel.get("revision"), source: "lasso" }),
    ]);
    expect(hasBit(kernel.selected, 0)).toBe(true);
    await until(() => expect(find(".b-map-said").textContent).toMatch(/labelled/));
  });

  it("leaves dropped rows out", async () => {
    const kernel = show();
    kernel.dropped.add(0);
    kernel.publish();
    await ready();
    drag(EVERYTHING);
    await until(() => expect(el.textContent).toContain("199 rows"));
    expect(hasBit(kernel.selected, 0)).toBe(false);
  });

  it("leaves out classes that the legend filters away", async () => {
    const kernel = show();
    await ready();
    find(".b-map-entry").click();
    await ready();
    drag(EVERYTHING);
    const zeros = kernel.labels.filter((code) => code === 0).length;
    await until(() => expect(el.textContent).toContain(`${zeros} rows`));
  });

  it("takes its selection back when the kernel refuses it, and says why", async () => {
    const kernel = show({}, { delay: 30 });
    kernel.refuse.set("select", { code: "stale", message: "The rows changed.", hint: "Again." });
    await ready();
    drag(EVERYTHING);
    await until(() => expect(el.textContent).toContain("200 rows"));
    await until(() => expect(el.textContent).toContain("The rows changed."));
    expect(el.querySelector(".b-map-bulk")).toBeNull();
  });

  it("clears with Escape", async () => {
    const kernel = show();
    await ready();
    drag(EVERYTHING);
    await until(() => expect(el.querySelector(".b-map-bulk")).not.toBeNull());
    press("Escape");
    await until(() => expect(el.querySelector(".b-map-bulk")).toBeNull());
    expect(kernel.selected.length).toBe(0);
  });

  it("takes a drag that goes nowhere for a click", async () => {
    const kernel = show();
    await ready();
    drag([
      [300, 200],
      [301, 200],
      [300, 200],
    ]);
    expect(requests(kernel, "select")).toEqual([]);
  });
});

describe("acting on the selection", () => {
  it("says what would change before it relabels, then relabels the selection once", async () => {
    const kernel = show();
    await ready();
    drag(EVERYTHING);
    await until(() => expect(el.textContent).toContain("Relabel to…"));
    find("[aria-expanded=false][title='Choose a class']").click();
    await until(() => expect(el.querySelector("[role=option]")).not.toBeNull());
    find("[role=option]").click();
    await until(() => expect(find(".b-map-said").textContent).toMatch(/change, \d+ already 0/));
    find(".b-map-bulk .b-primary").click();
    await until(() => expect(kernel.labels.every((code) => code === 0)).toBe(true));
    expect(requests(kernel, "relabel")).toEqual([expect.objectContaining({ rows: null, to: "0" })]);
  });

  it("changes nothing in a read-only version", async () => {
    const kernel = show({}, { read_only: true });
    await ready();
    drag(EVERYTHING);
    await until(() => expect(el.textContent).toContain("200 rows"));
    const drop = [...el.querySelectorAll<HTMLElement>("button")].find(
      (b) => b.textContent === "Drop",
    );
    drop?.click();
    expect(requests(kernel, "drop")).toEqual([]);
  });
});

describe("the map", () => {
  it("shows what comes from the data as text", async () => {
    show({ classes: [MARKUP, "b"] });
    await ready();
    expect(el.querySelector("img")).toBeNull();
    expect(find(".b-map-legend").textContent).toContain(MARKUP);
  });

  it("says its counts to those who do not see it", async () => {
    show();
    await ready();
    const label = find("[role=img]").getAttribute("aria-label");
    expect(label).toContain("Map of 200 rows");
    expect(label).toContain("10 classes");
  });

  it("switches what dragging does by key, and leaves class keys alone", async () => {
    show({ classes: ["a", "b"] });
    await ready();
    press("v");
    await until(() => expect(find(".b-map").dataset["mode"]).toBe("pan"));
    press("b");
    await ready();
    expect(find(".b-map").dataset["mode"]).toBe("pan");
    press("l");
    await until(() => expect(find(".b-map").dataset["mode"]).toBe("lasso"));
  });

  it("says how to get a picture when there is nothing to draw", async () => {
    const kernel = show({ rows: 8, flagged: 0 });
    kernel.set("hidden", new DataView(Uint8Array.of(0xff).buffer));
    await until(() => expect(el.textContent).toContain("embedding="));
  });

  it("leaves no listener and no observer behind", async () => {
    Resized.live.clear();
    const kernel = show();
    await ready();
    controller.abort();
    await until(() => expect(el.textContent).toBe(""));
    expect(kernel.listeners).toBe(0);
    expect(Resized.live.size).toBe(0);
  });
});

describe("the words of the bulk bar", () => {
  const summary: SummaryResult = {
    rows: 12,
    hidden: 0,
    changed: 11,
    unchanged: 1,
    labels: [
      { name: "8", count: 9 },
      { name: null, count: 2 },
      { name: "1", count: 1 },
    ],
  };

  it("say what the rows are, then what would change", () => {
    expect(said(summary, null)).toBe("9 labelled 8, 2 without label, 1 labelled 1");
    expect(said(summary, "8")).toBe("11 change, 1 already 8");
    expect(said({ ...summary, changed: 1, unchanged: 0 }, "8")).toBe("1 changes");
  });

  it("count the rows that are not shown", () => {
    expect(said({ ...summary, hidden: 3 }, "8")).toBe("11 change, 1 already 8 · 3 not shown");
  });
});

describe("the legend's filter", () => {
  it("shows one class, then all again; adds with a modifier", () => {
    const one = toggled(new Set(), 3, false);
    expect([...one]).toEqual([3]);
    expect([...toggled(one, 3, false)]).toEqual([]);
    expect([...toggled(one, 5, false)]).toEqual([5]);
    expect([...toggled(one, 5, true)]).toEqual([3, 5]);
    expect([...toggled(one, 3, true)]).toEqual([]);
  });

  it("knows class 0", () => {
    expect([...toggled(new Set([0]), 0, false)]).toEqual([]);
  });
});

describe("searching a class", () => {
  it("puts names that start with the query first", () => {
    const classes = ["a cat", "cat", "dog"].map((name) => ({ name, count: 1, keycap: null }));
    expect(matching(classes, "CAT ").map(({ code }) => code)).toEqual([1, 0]);
  });
});
