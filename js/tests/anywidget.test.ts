import { describe, expect, it, vi } from "vitest";
import { makeData } from "../dev/fake/data";
import { FakeKernel } from "../dev/fake/kernel";
import type { Model } from "../src/host/anywidget";
import { modelHost } from "../src/host/anywidget";
import form from "../src/widgets/relabel_form";

type Listener = (...args: never[]) => void;

/** A widget model as ipywidgets has it: every view of it hears every message. */
class FakeModel implements Model {
  readonly kernel: FakeKernel;
  readonly slots = new Set<(sender: unknown, status: string) => void>();
  readonly widget_manager = {
    kernel: {
      statusChanged: {
        connect: (slot: (sender: unknown, status: string) => void) => this.slots.add(slot),
        disconnect: (slot: (sender: unknown, status: string) => void) => this.slots.delete(slot),
      },
    },
  };
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor() {
    const shape = { rows: 50, classes: ["a", "b"], flagged: 9, kind: "table" } as const;
    this.kernel = new FakeKernel(makeData("few", { ...shape, classes: [...shape.classes] }));
    const { signal } = new AbortController();
    this.kernel.onMessage(
      (message, buffers) => this.trigger("msg:custom", message, buffers),
      signal,
    );
    for (const trait of ["current", "status", "queue", "last_action"]) {
      this.kernel.onChange(trait, () => this.trigger(`change:${trait}`), signal);
    }
  }

  get count(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, this.slots.size);
  }

  get(name: string): unknown {
    return this.kernel.get(name);
  }

  send(content: unknown, _callbacks?: unknown, buffers?: ArrayBuffer[]): void {
    this.kernel.send(content as object, buffers);
  }

  on(name: string, listener: Listener): void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
  }

  off(name: string, listener: Listener): void {
    this.#listeners.get(name)?.delete(listener);
  }

  trigger(name: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(...(args as never[]));
  }
}

function watched(model: FakeModel, el = document.createElement("div")) {
  const gone = vi.fn();
  const controller = new AbortController();
  modelHost(model, el).onGone?.(gone, controller.signal);
  return { gone, controller, el };
}

describe("a view of a notebook's model", () => {
  it("removes every listener when anywidget cleans up", () => {
    const model = new FakeModel();
    const stop = form.render({ model, el: document.createElement("div") });
    expect(model.count).toBeGreaterThan(0);
    stop();
    expect(model.count).toBe(0);
  });

  it("removes every listener when anywidget aborts its signal, and leaves the other view", () => {
    const model = new FakeModel();
    const first = new AbortController();
    form.render({ model, el: document.createElement("div"), signal: first.signal });
    const one = model.count;
    const second = document.createElement("div");
    const stop = form.render({ model, el: second });
    first.abort();
    expect(model.count).toBe(one);
    expect(second.childElementCount).toBe(1);
    stop();
    expect(model.count).toBe(0);
  });

  it("follows the other view of its model", async () => {
    const model = new FakeModel();
    const views = [document.createElement("div"), document.createElement("div")];
    const stops = views.map((el) => form.render({ model, el }));
    const key = new KeyboardEvent("keydown", { key: "n", bubbles: true });
    views[0]?.querySelector(".burnish")?.dispatchEvent(key);
    const name = model.kernel.data.keys[model.kernel.data.flagged[0] ?? 0] ?? "?";
    await vi.waitFor(() => {
      for (const el of views) expect(el.textContent).toContain(name);
    });
    for (const stop of stops) stop();
  });

  it("knows that the kernel ended from its status, its comm, or the view's mark", async () => {
    const model = new FakeModel();
    const { gone, el, controller } = watched(model);
    for (const slot of model.slots) slot(null, "busy");
    model.trigger("comm_live_update");
    await Promise.resolve();
    expect(gone).toHaveBeenCalledTimes(0);
    for (const slot of model.slots) slot(null, "dead");
    expect(gone).toHaveBeenCalledTimes(1);
    model.trigger("comm:close");
    expect(gone).toHaveBeenCalledTimes(2);
    el.classList.add("jupyter-widgets-disconnected");
    model.trigger("comm_live_update");
    await Promise.resolve();
    expect(gone).toHaveBeenCalledTimes(3);
    controller.abort();
    expect(model.count).toBe(0);
  });
});
