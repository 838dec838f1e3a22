import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeData, type Shape } from "../dev/fake/data";
import { FakeKernel, type Options } from "../dev/fake/kernel";
import { type Look, mount } from "../src/host/widget";
import { HISTORY } from "../src/session/keymap";
import { absolute, date, relative } from "../src/ui/time";
import { standingOf } from "../src/widgets/history/list";
import { takenBack } from "../src/widgets/history/revert";
import { HistoryView } from "../src/widgets/history/view";
import { RelabelForm } from "../src/widgets/relabel_form/view";

const LOOK: Look = {
  name: "history",
  label: "History",
  view: HistoryView,
  keys: HISTORY,
  commit: true,
};
const FORM: Look = { name: "relabel-form", label: "Form", view: RelabelForm };
const DIGITS: Shape = { rows: 200, classes: [..."0123456789"], flagged: 20, kind: "image" };

let controller: AbortController;
let el: HTMLElement;

beforeEach(() => {
  controller = new AbortController();
  el = document.createElement("div");
  document.body.append(el);
  URL.createObjectURL = vi.fn(() => "blob:x");
  URL.revokeObjectURL = vi.fn();
  const box = { offsetHeight: 400, offsetWidth: 700, clientHeight: 400, clientWidth: 700 };
  for (const [name, size] of Object.entries(box)) {
    const owner = name.startsWith("offset") ? HTMLElement.prototype : Element.prototype;
    vi.spyOn(owner, name as never, "get").mockReturnValue(size as never);
  }
});

afterEach(() => {
  controller.abort();
  el.remove();
  vi.restoreAllMocks();
});

function show(options: Options = {}, look = LOOK): FakeKernel {
  const kernel = new FakeKernel(makeData("digits", DIGITS), { versions: 40, ...options });
  mount(look, kernel, el, controller.signal);
  return kernel;
}

function root(): HTMLElement {
  return el.querySelector(".burnish") as HTMLElement;
}

function press(key: string, target: Element = root()): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

function text(): string {
  return root().textContent ?? "";
}

function chosen(): string | undefined {
  return root().querySelector<HTMLElement>("[aria-selected=true]")?.dataset["version"];
}

function detail(): HTMLElement | null {
  return root().querySelector(".b-detail[data-version]");
}

function button(name: string): HTMLElement | undefined {
  const all = [...root().querySelectorAll("button")];
  return all.find((one) => one.textContent?.startsWith(name));
}

async function until(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 3000 });
}

async function ready(name: string): Promise<void> {
  await until(() => {
    expect(chosen()).toBe(name);
    expect(detail()?.dataset["version"]).toBe(name);
  });
}

function sent(kernel: FakeKernel, kind: string): object[] {
  return kernel.received.filter((message) => message.kind === kind);
}

function stage(kernel: FakeKernel): void {
  kernel.labels[3] = ((kernel.labels[3] ?? 0) + 1) % 10;
  kernel.seq++;
  kernel.publish();
}

describe("the history", () => {
  it("starts at the head, with its details", async () => {
    show();
    await ready("v40");
    expect(text()).toContain("41 versions");
    expect(detail()?.textContent).toContain("What changed");
    expect(detail()?.textContent).toContain("label, before → after");
  });

  it("moves with arrows, n and p, and loads the version that is chosen in the end", async () => {
    const kernel = show();
    await ready("v40");
    for (const key of ["ArrowDown", "n", "n", "p", "ArrowDown"]) press(key);
    await ready("v37");
    expect(sent(kernel, "version").length).toBeLessThanOrEqual(4);
    for (let i = 0; i < 9; i++) press("ArrowUp");
    await ready("v40");
  });

  it("fetches only the pages in sight", async () => {
    const kernel = show({ versions: 1000, graph: "merges" });
    await ready("v1000");
    expect(sent(kernel, "versions")).toHaveLength(1);
    expect(root().querySelectorAll(".b-version").length).toBeLessThan(40);
  });

  it("views on Enter, says so, and returns on Escape", async () => {
    const kernel = show();
    await ready("v40");
    press("n");
    await ready("v39");
    press("Enter");
    await until(() => expect(text()).toContain("You are looking at v39"));
    expect(kernel.viewing).toBe(kernel.history[39]?.id);
    expect(root().querySelector(".b-viewed")?.textContent).toContain("v39");
    expect(text()).toContain("ds.at('v39')");
    press("Escape");
    await until(() => expect(kernel.viewing).toBeNull());
    await until(() => expect(text()).not.toContain("You are looking at"));
    expect(root().querySelector("[aria-live=polite]")?.textContent).toBe("Back on main");
  });

  it("asks before it reverts, saying what would happen, and shows the new version", async () => {
    const kernel = show();
    await ready("v40");
    press("n");
    await ready("v39");
    press("r");
    await until(() => expect(root().querySelector("[aria-label=Revert]")).not.toBeNull());
    const question = root().querySelector("[aria-label=Revert]") as HTMLElement;
    expect(question.textContent).toContain("Take back v39?");
    expect(question.textContent).toMatch(/cells of label .*go back to what they were/);
    expect(document.activeElement?.textContent).toBe("Revert v39");
    press("n", document.activeElement as Element);
    expect(chosen()).toBe("v39");
    (document.activeElement as HTMLElement).click();
    await ready("v41");
    expect(sent(kernel, "revert")).toEqual([
      expect.objectContaining({ version: kernel.history[39]?.id }),
    ]);
    expect(text()).toContain("ds.revert('v39')");
  });

  it("reverts nothing when the question is left", async () => {
    const kernel = show();
    await ready("v40");
    press("r");
    await until(() => expect(document.activeElement?.textContent).toBe("Revert v40"));
    press("Escape", document.activeElement as Element);
    await until(() => expect(root().querySelector("[aria-label=Revert]")).toBeNull());
    expect(sent(kernel, "revert")).toEqual([]);
    expect(document.activeElement).toBe(root());
  });

  it("keeps the words of a refusal in sight", async () => {
    const kernel = show();
    await ready("v40");
    kernel.refuse.set("revert", {
      code: "staged",
      message: "1 staged cells are in the way of reverting v40",
      hint: "commit them",
    });
    press("r");
    await until(() => expect(button("Revert v40")).toBeDefined());
    button("Revert v40")?.click();
    await until(() => expect(text()).toContain("1 staged cells are in the way of reverting v40"));
    expect(text()).toContain("commit them");
    await ready("v40");
  });

  it("does not offer to revert what changed nothing", async () => {
    const kernel = show({ versions: 0 });
    await ready("v0");
    expect(button("Revert")?.getAttribute("aria-disabled")).toBe("true");
    press("r");
    expect(root().querySelector("[aria-label=Revert]")).toBeNull();
    expect(text()).toContain("No commits yet.");
    expect(sent(kernel, "revert")).toEqual([]);
  });

  it("puts what is staged on top, with a dashed line to the head", async () => {
    const kernel = show();
    await ready("v40");
    stage(kernel);
    await until(() => expect(text()).toContain("1 cell staged"));
    await until(() => expect(root().querySelectorAll(".b-graph-dashed")).toHaveLength(2));
    await until(() => expect(detail()?.textContent).toContain("Not committed yet"));
  });

  it("goes from what was staged to the head once it is committed", async () => {
    const kernel = show();
    await ready("v40");
    stage(kernel);
    await until(() => expect(chosen()).toBe("staged"));
    kernel.send({ id: 1, kind: "commit", message: "one", author: null });
    await ready("v41");
  });

  it("keeps the version that was chosen while others are added", async () => {
    const kernel = show();
    await ready("v40");
    press("n");
    await ready("v39");
    stage(kernel);
    kernel.send({ id: 1, kind: "commit", message: "one", author: null });
    await until(() => expect(text()).toContain("42 versions"));
    await ready("v39");
  });

  it("goes to a parent by its name, in sight or not", async () => {
    show({ graph: "merges" });
    await ready("v40");
    const link = root().querySelector(".b-version-facts .b-link") as HTMLElement;
    const name = link.textContent ?? "";
    link.click();
    await ready(name);
  });

  it("opens and closes its own keys", async () => {
    show();
    press("?");
    await until(() => expect(text()).toContain("view the version in all widgets"));
    expect(text()).not.toContain("keep the given label");
  });

  it("leaves nothing behind when it goes", async () => {
    const kernel = show();
    await ready("v40");
    controller.abort();
    expect(kernel.listeners).toBe(0);
    expect(el.childElementCount).toBe(0);
  });

  it("does nothing without a kernel, and says why", async () => {
    const kernel = show();
    await ready("v40");
    press("n");
    await ready("v39");
    kernel.die();
    await until(() => expect(text()).toContain("The kernel is not running."));
    press("r");
    expect(root().querySelector("[aria-label=Revert]")).toBeNull();
    expect(button("View on the map")?.getAttribute("aria-disabled")).toBe("true");
  });

  it("shows messages with markup as text", async () => {
    const kernel = show({ versions: 2 });
    await ready("v2");
    for (const version of kernel.history) version.message = "<img src=x onerror=alert(1)>";
    kernel.seq++;
    kernel.publish();
    await until(() => expect(detail()?.textContent).toContain("<img src=x"));
    expect(root().querySelectorAll("img")).toHaveLength(0);
  });
});

describe("a widget while an old version is viewed", () => {
  it("says so, offers the way back and refuses to edit", async () => {
    const kernel = show({}, FORM);
    press("n");
    kernel.send({ id: 1, kind: "view", version: kernel.history[2]?.id });
    await until(() => expect(text()).toContain("You are looking at v2"));
    press("k");
    await until(() => expect(text()).toContain("v2 is read-only, so nothing was changed."));
    press("z");
    await new Promise((done) => setTimeout(done));
    expect(sent(kernel, "decide")).toEqual([]);
    expect(sent(kernel, "undo")).toEqual([]);
    button("Return to main")?.click();
    await until(() => expect(kernel.viewing).toBeNull());
    await until(() => expect(text()).not.toContain("You are looking at"));
    expect(text()).not.toContain("nothing was changed");
  });
});

describe("what a line stands for", () => {
  const graph = { total: 9, versions: 8, lanes: 1, decisions: 0, head_id: "x", seq: 1 };

  it("is dashed from what is staged down to the head and no further", () => {
    const waiting = { ...graph, staged: 2, head: 2, viewing: -1 };
    const dashed = [0, 1, 2, 3].map((index) => standingOf(index, waiting).dashed);
    expect(dashed).toEqual(["out", "past", "into", "none"]);
    expect(standingOf(0, { ...waiting, staged: 0, head: 0 })).toEqual({
      staged: false,
      head: true,
      viewed: false,
      dashed: "none",
    });
  });
});

describe("words", () => {
  const NOW = Date.parse("2026-03-12T12:00:00Z");

  it.each([
    ["2026-03-12T11:59:30Z", "just now"],
    ["2026-03-12T12:01:00Z", "just now"],
    ["2026-03-12T11:59:00Z", "1 minute ago"],
    ["2026-03-12T09:30:00Z", "2 hours ago"],
    ["2026-03-10T12:00:00Z", "2 days ago"],
    ["2026-03-01T12:00:00Z", "1 Mar 2026"],
    ["2026-03-12T14:00:00Z", "12 Mar 2026"],
  ])("for %s are %s", (when, words) => {
    expect(relative(when, NOW)).toBe(words);
  });

  it("give the date in full with the time of day", () => {
    expect(absolute("2026-03-01T12:00:00Z")).toBe(
      `${date("2026-03-01T12:00:00Z")}, ${new Date("2026-03-01T12:00:00Z").toTimeString().slice(0, 5)}`,
    );
  });

  it("say what a revert takes back", () => {
    const label = { name: "label", cells: 212, unit: "cell" } as const;
    const dropped = { name: "dropped", cells: 1, unit: "row" } as const;
    const fact = { name: "class dog is hound", cells: 1, unit: "fact" } as const;
    const said = (...columns: object[]) => takenBack({ columns } as never);
    expect(said(label)).toBe("212 cells of label go back to what they were");
    expect(said(label, dropped, fact)).toBe(
      "212 cells of label, 1 row dropped and “class dog is hound” go back to what they were",
    );
    expect(said(dropped)).toBe("1 row dropped goes back to what it was");
  });
});
