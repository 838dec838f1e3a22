import { useEffect, useId, useRef } from "preact/hooks";
import type { Acts } from "../../session/acts";
import type { Pages } from "../../session/pages";
import type { State } from "../../session/state";
import { useWindow, type Window } from "../../ui/virtual";
import { LineRow, SkeletonRow } from "./row";

const ROW = 38;

interface GridProps {
  state: State;
  acts: Acts;
  pages: Pages;
  total: number;
  stamp: string;
}

/** The lines in sight. The grid itself has the focus: a row may scroll away, keys must not. */
export function Grid({ state, acts, pages, total, stamp }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const view = useWindow(scroller, total, ROW);
  const current = state.current.value;
  pages.arrived.value;
  pages.follow(stamp);
  const first = view.items[0]?.index ?? 0;
  const last = view.items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= first) pages.need(first, last + 1);
  }, [pages, stamp, first, last]);
  const at = useCurrentInSight(pages, current, acts, view);
  const longest = Math.max(...state.classes.value.map((info) => info.name.length), 1);
  const active = at >= first && at <= last ? `${id}-${at}` : undefined;
  return (
    <div
      ref={scroller}
      class="b-rows"
      role="grid"
      tabIndex={0}
      aria-label="Findings"
      aria-rowcount={total}
      aria-activedescendant={active}
    >
      <div
        class="b-rows-inner"
        style={{ height: `${view.height}px`, "--b-labels": `calc(${2 * longest}ch + 64px)` }}
      >
        {view.items.map(({ index, start }) => {
          const line = pages.line(index);
          const place = { id: `${id}-${index}`, index, top: start };
          if (!line) return <SkeletonRow key={index} {...place} />;
          const isCurrent = line.preview.row === current;
          const focus = () => void acts.focus(line.preview.row);
          return (
            <LineRow key={index} {...place} line={line} current={isCurrent} onChoose={focus} />
          );
        })}
      </div>
    </div>
  );
}

/** Scroll to the current row when another one becomes current; returns its index, -1 if unknown. */
function useCurrentInSight(pages: Pages, current: number, acts: Acts, view: Window): number {
  const shown = useRef("");
  const item = acts.items.shown.value?.item;
  const rank = item?.preview.row === current ? (item.rank ?? null) : null;
  const index = pages.indexOf(current, rank);
  useEffect(() => {
    const place = `${current} ${view.room}`;
    if (index < 0 || shown.current === place) return;
    shown.current = place;
    view.show(index);
  });
  return index;
}
