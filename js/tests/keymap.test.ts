import { describe, expect, it } from "vitest";
import { commandFor, keycapOf, type Press } from "../src/session/keymap";

const CLASSES = [
  { name: "8", count: 1, keycap: "8" },
  { name: "k", count: 1, keycap: "k" },
  { name: "delivery", count: 1, keycap: "e" },
  { name: "other", count: 1, keycap: null },
];

function press(key: string, more: Partial<Press> = {}): Press {
  return {
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    repeat: false,
    isComposing: false,
    defaultPrevented: false,
    target: document.createElement("div"),
    ...more,
  };
}

function inside(tag: string, markup = ""): Element {
  const element = document.createElement(tag);
  if (markup) element.setAttribute(markup, "");
  return element;
}

describe("keys", () => {
  it("have one fixed meaning each", () => {
    expect(commandFor(press("n"), [])).toEqual({ name: "step", by: 1 });
    expect(commandFor(press("ArrowUp"), [])).toEqual({ name: "step", by: -1 });
    expect(commandFor(press("Enter"), [])).toEqual({ name: "accept" });
    expect(commandFor(press("k"), [])).toEqual({ name: "decide", verdict: "kept" });
    expect(commandFor(press("z"), [])).toEqual({ name: "undo" });
    expect(commandFor(press("Z"), [])).toEqual({ name: "redo" });
  });

  it("pick the class whose keycap they are", () => {
    expect(commandFor(press("8"), CLASSES)).toEqual({ name: "relabel", to: "8" });
    expect(commandFor(press("e"), CLASSES)).toEqual({ name: "relabel", to: "delivery" });
    expect(commandFor(press("9"), CLASSES)).toBeNull();
  });

  it("keep their fixed meaning when a class has the same name", () => {
    expect(commandFor(press("k"), CLASSES)).toEqual({ name: "decide", verdict: "kept" });
    expect(CLASSES.map(keycapOf)).toEqual(["8", null, "e", null]);
  });

  it.each(["ctrlKey", "metaKey", "altKey", "isComposing", "defaultPrevented"] as const)(
    "are not ours with %s",
    (flag) => {
      for (const key of ["z", "k", "Enter", "8"]) {
        expect(commandFor(press(key, { [flag]: true }), CLASSES)).toBeNull();
      }
    },
  );

  it.each(["input", "textarea", "select"])("are never taken from an %s", (tag) => {
    for (const key of ["z", "k", "Enter", "8", "ArrowDown", "?"]) {
      expect(commandFor(press(key, { target: inside(tag) }), CLASSES)).toBeNull();
    }
  });

  it("are never taken from editable text", () => {
    const target = inside("div", "contenteditable");
    expect(commandFor(press("k", { target }), CLASSES)).toBeNull();
  });

  it("leave Enter to a button, and arrows to what scrolls", () => {
    expect(commandFor(press("Enter", { target: inside("button") }), [])).toBeNull();
    expect(commandFor(press("k", { target: inside("button") }), [])).not.toBeNull();
    const target = inside("div", "data-scrolls");
    expect(commandFor(press("ArrowDown", { target }), [])).toBeNull();
    expect(commandFor(press("n", { target }), [])).not.toBeNull();
  });

  it("decide nothing by being held down", () => {
    expect(commandFor(press("Enter", { repeat: true }), [])).toBeNull();
    expect(commandFor(press("8", { repeat: true }), CLASSES)).toBeNull();
    expect(commandFor(press("n", { repeat: true }), [])).not.toBeNull();
  });
});
