import { setMaxListeners } from "node:events";

// A view listens to one signal with each of its traits.
setMaxListeners(100);

/** jsdom has no layout, so nothing is ever resized. */
globalThis.ResizeObserver ??= class implements ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
