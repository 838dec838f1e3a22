import { afterEach, describe, expect, it, vi } from "vitest";
import { Channel, Failure, isAborted } from "../src/wire/channel";
import type { Host } from "../src/wire/host";

function wire() {
  const sent: { id: number; kind: string }[] = [];
  const receivers: ((message: unknown, buffers: DataView[]) => void)[] = [];
  const host: Host = {
    get: <T>() => undefined as T,
    onChange: () => undefined,
    send: (message) => sent.push(message as { id: number; kind: string }),
    onMessage: (callback) => receivers.push(callback),
  };
  const controller = new AbortController();
  const open = () => new Channel(host, controller.signal);
  const emit = (message: unknown, buffers: DataView[] = []) => {
    for (const receive of receivers) receive(message, buffers);
  };
  return { open, emit, sent, controller };
}

afterEach(() => vi.useRealTimers());

describe("a channel", () => {
  it("gives each request its own answer, in whatever order they come", async () => {
    const { open, emit, sent } = wire();
    const channel = open();
    const first = channel.request("peek", { row: 1 });
    const second = channel.request("peek", { row: 2 });
    emit({ id: sent[1]?.id, kind: "done", result: "two" });
    emit({ id: sent[0]?.id, kind: "done", result: "one" });
    expect((await first).result).toBe("one");
    expect((await second).result).toBe("two");
  });

  it("passes on the buffers of an answer", async () => {
    const { open, emit, sent } = wire();
    const answer = open().request("item", { row: 1 });
    const image = new DataView(new ArrayBuffer(3));
    emit({ id: sent[0]?.id, kind: "done", result: {} }, [image]);
    expect((await answer).buffers[0]).toBe(image);
  });

  it("rejects with the code, message and hint of a failure", async () => {
    const { open, emit, sent } = wire();
    const answer = open().request("undo", {});
    const error = { code: "empty", message: "Nothing to undo.", hint: "Edit first." };
    emit({ id: sent[0]?.id, kind: "failed", error });
    const reason = await answer.catch((thrown: unknown) => thrown);
    expect(reason).toBeInstanceOf(Failure);
    expect(reason).toMatchObject(error);
  });

  it("ignores answers to another view of the model, and messages that are none", async () => {
    const { open, emit, sent } = wire();
    const mine = open();
    const other = open();
    const answer = mine.request("peek", { row: 1 });
    void other.request("peek", { row: 1 });
    expect(sent[0]?.id).not.toBe(sent[1]?.id);
    emit({ id: sent[1]?.id, kind: "done", result: "not mine" });
    emit(null);
    emit({ kind: "done" });
    emit({ id: sent[0]?.id, kind: "done", result: "mine" });
    expect((await answer).result).toBe("mine");
  });

  it("gives a request up when its signal aborts", async () => {
    const { open, emit, sent } = wire();
    const controller = new AbortController();
    const answer = open().request("peek", { row: 1 }, [], controller.signal);
    controller.abort();
    expect(isAborted(await answer.catch((thrown: unknown) => thrown))).toBe(true);
    emit({ id: sent[0]?.id, kind: "done", result: {} });
  });

  it("gives every request up when the view goes", async () => {
    const { open, controller } = wire();
    const answer = open().request("peek", { row: 1 });
    controller.abort();
    expect(isAborted(await answer.catch((thrown: unknown) => thrown))).toBe(true);
  });

  it("is busy when a request waits longer than 400 ms, and only until it is answered", async () => {
    vi.useFakeTimers();
    const { open, emit, sent } = wire();
    const channel = open();
    const answer = channel.request("peek", { row: 1 });
    vi.advanceTimersByTime(390);
    expect(channel.busy.value).toBe(false);
    vi.advanceTimersByTime(20);
    expect(channel.busy.value).toBe(true);
    emit({ id: sent[0]?.id, kind: "done", result: {} });
    await answer;
    expect(channel.busy.value).toBe(false);
  });
});
