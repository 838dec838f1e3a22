/**
 * The only seam between a view and where it runs: a notebook's widget model, a stand-alone page or
 * a test. A subscription lives until its signal aborts.
 */
export interface Host {
  get<T>(trait: string): T;
  onChange(trait: string, callback: () => void, signal: AbortSignal): void;
  send(message: object, buffers?: ArrayBuffer[]): void;
  onMessage(callback: (message: unknown, buffers: DataView[]) => void, signal: AbortSignal): void;
  /** Tells when the kernel side is gone for good; a host that cannot know leaves it out. */
  onGone?(callback: () => void, signal: AbortSignal): void;
}
