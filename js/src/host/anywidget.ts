import type { Host } from "../wire/host";

type Listener = (...args: never[]) => void;

/** What is used of the model that anywidget passes to `render`. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(name: string, listener: Listener): void;
  off(name: string, listener: Listener): void;
  widget_manager?: unknown;
}

interface Kernel {
  statusChanged: {
    connect(slot: (sender: unknown, status: string) => void): void;
    disconnect(slot: (sender: unknown, status: string) => void): void;
  };
}

const ENDED = ["dead", "terminating", "restarting", "autorestarting"];
/** ipywidgets puts it on a view whose model has no comm. */
const DISCONNECTED = ".jupyter-widgets-disconnected";

export function modelHost(model: Model, el: Element): Host {
  const listen = (name: string, listener: Listener, signal: AbortSignal) => {
    if (signal.aborted) return;
    model.on(name, listener);
    signal.addEventListener("abort", () => model.off(name, listener), { once: true });
  };
  return {
    get: <T>(trait: string) => model.get(trait) as T,
    onChange: (trait, callback, signal) => listen(`change:${trait}`, () => callback(), signal),
    send: (message, buffers = []) => model.send(message, undefined, buffers),
    onMessage(callback, signal) {
      const listener = (message: unknown, buffers?: DataView[]) => callback(message, buffers ?? []);
      listen("msg:custom", listener, signal);
    },
    onGone(callback, signal) {
      const check = () => {
        if (el.matches(DISCONNECTED)) callback();
      };
      listen("comm:close", callback, signal);
      listen("comm_live_update", () => queueMicrotask(check), signal);
      check();
      followKernel(model, callback, signal);
    },
  };
}

function followKernel(model: Model, callback: () => void, signal: AbortSignal): void {
  const kernel = kernelOf(model.widget_manager);
  if (!kernel || signal.aborted) return;
  const slot = (_: unknown, status: string) => {
    if (ENDED.includes(status)) callback();
  };
  kernel.statusChanged.connect(slot);
  signal.addEventListener("abort", () => kernel.statusChanged.disconnect(slot), { once: true });
}

function kernelOf(manager: unknown): Kernel | null {
  const kernel = (manager as { kernel?: Partial<Kernel> } | undefined)?.kernel;
  return kernel?.statusChanged ? (kernel as Kernel) : null;
}
