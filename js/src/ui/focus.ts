import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

/** When an element goes away with the focus in it, the widget's root takes the keys over. */
export function useReturnFocus(ref: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => {
    const element = ref.current;
    const root = element?.closest<HTMLElement>(".burnish");
    return () => {
      const { activeElement } = (element?.getRootNode() ?? document) as Document | ShadowRoot;
      if (element?.contains(activeElement)) root?.focus({ preventScroll: true });
    };
  }, [ref]);
}
