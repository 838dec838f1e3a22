import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer,
} from "@tanstack/virtual-core";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useReducer, useState } from "preact/hooks";

export interface Window {
  items: VirtualItem[];
  height: number;
  /** height of what is in sight */
  room: number;
  show(index: number): void;
}

/** The part of a long list of equal rows that is in sight. */
export function useWindow(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
): Window {
  const [, redraw] = useReducer((n: number, _: undefined) => n + 1, 0);
  const settings = {
    count,
    estimateSize: () => rowHeight,
    getScrollElement: () => scroller.current,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    overscan: 6,
    scrollPaddingStart: rowHeight * 2,
    scrollPaddingEnd: rowHeight * 2,
    onChange: () => redraw(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, Element>(settings));
  virtualizer.setOptions(settings);
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    room: virtualizer.scrollRect?.height ?? 0,
    show: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
  };
}
