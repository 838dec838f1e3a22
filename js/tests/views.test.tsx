import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeData, type Shape } from "../dev/fake/data";
import { FakeKernel, type Options } from "../dev/fake/kernel";
import { type Look, mount } from "../src/host/widget";
import { IssueList } from "../src/widgets/issue_list/view";
import { RelabelForm } from "../src/widgets/relabel_form/view";

const FORM: Look = { name: "relabel-form", label: "Form", view: RelabelForm };
const LIST: Look = { name: "issue-list", label: "List", view: IssueList };
const DIGITS: Shape = { rows: 200, classes: [..."0123456789"], flagged: 60, kind: "image" };
const MARKUP = "<img src=x onerror=alert(1)> & <b>bold</b>";

let controller: AbortController;
let el: HTMLElement;

beforeEach(() => {
  controller = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
  URL.createObjectURL = vi.fn(() => "blob:x");
  URL.revokeObjectURL = vi.fn();
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(300);
  vi.spyOn(Element.prototype, "clientWidth", "get").mockReturnValue(400);
});

afterEach(() => {
  controller.abort();
  el.remove();
  vi.restoreAllMocks();
});

function show(look: Look, shape: Partial<Shape> = {}, options: Options = {}): FakeKernel {
  const kernel = new FakeKernel(makeData("digits", { ...DIGITS, ...shape }), options);
  mount(look, kernel, el, controller.signal);
  return kernel;
}

function root(): HTMLElement {
  return el.querySelector(".burnish") as HTMLElement;
}

function press(key: string, target: Element = root()): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
}

function text(): string {
  return root().textContent ?? "";
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 3000 });
}

function kinds(kernel: FakeKernel): string[] {
  return kernel.received.map(({ kind }) => kind).filter((kind) => !/item|page/.test(kind));
}

describe("the form", () => {
  it("says what to do when no row is chosen, and takes the first", async () => {
    const kernel = show(FORM);
    expect(text()).toContain("No row chosen.");
    [...root().querySelectorAll("button")].at(-1)?.click();
    await until(() => expect(text()).toContain(kernel.data.keys[kernel.data.flagged[0] ?? 0]));
  });

  it("shows the label, the suggestion and what the model says", async () => {
    const kernel = show(FORM);
    press("n");
    const row = kernel.data.flagged[0] ?? 0;
    const suggestion = kernel.data.classes[kernel.data.truth[row] ?? 0];
    await until(() => expect(text()).toContain(`Relabel to${suggestion}`.replace("to", "to ")));
    expect(text()).toContain("given label");
    expect(root().querySelectorAll(".b-probability").length).toBeGreaterThanOrEqual(3);
    expect(root().querySelectorAll(".b-class")).toHaveLength(10);
  });

  it("decides with one key each and moves on", async () => {
    const kernel = show(FORM);
    for (const key of ["n", "Enter", "k", "s", "u", "7", "z", "Z", "d"]) press(key);
    await until(() => expect(kinds(kernel)).toHaveLength(9));
    expect(kinds(kernel).join(" ")).toBe(
      "step relabel decide decide decide relabel undo redo drop",
    );
    expect([...kernel.verdicts.values()].slice(0, 4)).toEqual([
      "accepted",
      "kept",
      "skipped",
      "unsure",
    ]);
  });

  it("stops the keys it handles, and only those", () => {
    show(FORM);
    const passed = vi.fn();
    el.addEventListener("keydown", passed);
    expect(press("n").defaultPrevented).toBe(true);
    expect(passed).not.toHaveBeenCalled();
    expect(press("q").defaultPrevented).toBe(false);
    expect(passed).toHaveBeenCalledOnce();
  });

  it("marks whatever has the focus, so that the notebook leaves its keys alone", async () => {
    show(FORM);
    await until(() => expect(root().querySelector("button")).not.toBeNull());
    const inner = root().querySelector("button") as HTMLElement;
    inner.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
    expect(inner.hasAttribute("data-lm-suppress-shortcuts")).toBe(true);
  });

  it("takes what is typed into the reason for text", async () => {
    const kernel = show(FORM);
    press("n");
    await until(() => expect(root().querySelector(".b-reason")).not.toBeNull());
    const input = root().querySelector(".b-reason") as HTMLInputElement;
    for (const key of ["k", "s", "7", "z"]) press(key, input);
    expect(kinds(kernel)).toEqual(["step"]);
    expect(press("Enter", input).defaultPrevented).toBe(true);
    expect(document.activeElement).toBe(root());
  });

  it("finds a class by name when there are many", async () => {
    const classes = Array.from({ length: 200 }, (_, i) => `topic ${i}`);
    const kernel = show(FORM, { classes, kind: "text" });
    press("n");
    await until(() => expect(text()).toContain("Choose among 200 classes"));
    press("c");
    await until(() => expect(root().querySelector("[role=combobox]")).not.toBeNull());
    const input = root().querySelector("[role=combobox]") as HTMLInputElement;
    input.value = "topic 150";
    input.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await until(() => expect(root().querySelectorAll("[role=option]")).toHaveLength(1));
    press("Enter", input);
    await until(() => expect(kernel.received.at(-1)).toMatchObject({ kind: "item" }));
    expect(kernel.received).toContainEqual(
      expect.objectContaining({ kind: "relabel", to: "topic 150" }),
    );
    await until(() => expect(root().querySelector("[role=combobox]")).toBeNull());
  });

  it("shows data with markup as text", async () => {
    const kernel = show(FORM, { kind: "text", classes: [MARKUP, "b"] });
    if (kernel.data.texts) kernel.data.texts.fill(MARKUP);
    press("n");
    await until(() => expect(root().querySelector(".b-subject-text")?.textContent).toBe(MARKUP));
    expect(root().querySelectorAll("img, b")).toHaveLength(0);
    expect(root().querySelector(".b-decision-row")?.textContent).toContain(MARKUP);
  });

  it("says what failed and how to go on, until it is dismissed", async () => {
    const kernel = show(FORM);
    press("n");
    kernel.refuse.set("relabel", { code: "x", message: "It broke.", hint: "Try again." });
    press("Enter");
    await until(() => expect(text()).toContain("It broke. Try again."));
    (root().querySelector("[aria-label=Dismiss]") as HTMLElement).click();
    await until(() => expect(text()).not.toContain("It broke."));
  });

  it("says when the kernel is gone", async () => {
    const kernel = show(FORM);
    kernel.die();
    await until(() => expect(text()).toContain("The kernel is not running."));
  });

  it("announces each act with the way back", async () => {
    show(FORM);
    press("n");
    press("Enter");
    const live = () => root().querySelector("[aria-live=polite]")?.textContent;
    await until(() => expect(live()).toMatch(/1 row relabelled to \d, undo available/));
  });
});

describe("the list", () => {
  it("shows its lines and the progress of the review", async () => {
    const kernel = show(LIST);
    await until(() =>
      expect(root().querySelectorAll(".b-line[data-row]").length).toBeGreaterThan(5),
    );
    expect(text()).toContain("0 of 60");
    for (const key of ["n", "Enter", "k"]) press(key);
    await until(() => expect(text()).toContain("2 of 60"));
    expect(text()).toContain("1 real · 1 kept");
    await until(() => expect(root().querySelectorAll(".b-decided")).toHaveLength(2));
    expect(kernel.verdicts.size).toBe(2);
  });

  it("says on one line how many errors are left, where a plan knows it", async () => {
    const left = "Left: in the queue 34 (21–58) · in the dataset 310 (120–560), 95 % at every look";
    show(LIST, {}, { left });
    await until(() => expect(el.querySelector(".b-left")?.textContent).toBe(left));
  });

  it("says nothing of what is left without a plan", async () => {
    show(LIST);
    await until(() => expect(el.querySelectorAll(".b-line").length).toBeGreaterThan(0));
    expect(el.querySelector(".b-left")).toBeNull();
  });

  it("makes the row that is clicked current, and marks it", async () => {
    const kernel = show(LIST);
    await until(() =>
      expect(root().querySelectorAll(".b-line[data-row]").length).toBeGreaterThan(5),
    );
    (root().querySelectorAll(".b-line")[3] as HTMLElement).click();
    await until(() => expect(kernel.current).toBe(kernel.data.flagged[3]));
    const grid = root().querySelector("[role=grid]") as HTMLElement;
    await until(() => expect(root().querySelectorAll("[aria-selected=true]")).toHaveLength(1));
    const active = grid.getAttribute("aria-activedescendant");
    expect(root().querySelector("[aria-selected=true]")?.id).toBe(active);
  });

  it("says so when nothing was found, and when there is nothing to review", () => {
    show(LIST, { flagged: 0 });
    expect(text()).toContain("No issues found in 200 rows.");
    controller.abort();
    controller = new AbortController();
    show(LIST, {}, { queue: false });
    expect(text()).toContain("No findings under review.");
  });

  it("leaves decided rows out on demand, and says when all are decided", async () => {
    const kernel = show(LIST, { flagged: 2 });
    (root().querySelector(".b-toggle") as HTMLElement).click();
    for (const key of ["n", "Enter", "k"]) press(key);
    await until(() => expect(kernel.verdicts.size).toBe(2));
    await until(() => expect(text()).toContain("All 2 issues reviewed."));
  });
});

describe("any widget", () => {
  it.each([FORM, LIST])("leaves nothing behind when it goes: $name", async (look) => {
    const kernel = show(look);
    press("n");
    await until(() => expect(kinds(kernel)).toEqual(["step"]));
    expect(kernel.listeners).toBeGreaterThan(0);
    controller.abort();
    expect(kernel.listeners).toBe(0);
    expect(el.childElementCount).toBe(0);
  });

  it("shows all keys on demand and hides them on Escape", async () => {
    show(LIST);
    press("?");
    await until(() => expect(root().querySelector("[role=dialog]")).not.toBeNull());
    press("Escape");
    await until(() => expect(root().querySelector("[role=dialog]")).toBeNull());
  });

  it("keeps the notebook's shortcuts away from its root", () => {
    show(FORM);
    expect(root().tabIndex).toBe(0);
    expect(root().dataset["lmSuppressShortcuts"]).toBe("true");
  });

  it("puts its style into the shadow root that holds it, once", () => {
    const shadow = el.attachShadow({ mode: "open" });
    const kernel = new FakeKernel(makeData("digits", DIGITS));
    for (let i = 0; i < 2; i++) {
      const inner = document.createElement("div");
      shadow.append(inner);
      mount(FORM, kernel, inner, controller.signal);
    }
    expect(shadow.querySelectorAll("style")).toHaveLength(1);
  });
});
