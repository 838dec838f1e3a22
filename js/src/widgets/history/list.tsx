import { useEffect, useId, useRef } from "preact/hooks";
import type { GraphInfo } from "../../contract";
import type { State } from "../../session/state";
import type { Versions } from "../../session/versions";
import { useNow } from "../../ui/time";
import { useWindow, type Window } from "../../ui/virtual";
import { BoneRow, VersionRow } from "./row";

export const ROW = 40;

interface Props {
  state: State;
  versions: Versions;
}

/** The lines in sight, newest first. The grid itself has the focus: a line may scroll away. */
export function VersionList({ state, versions }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const now = useNow();
  const graph = state.graph.value;
  const view = useWindow(scroller, graph.total, ROW);
  const { lines } = versions;
  const stamp = String(graph.seq);
  lines.arrived.value;
  lines.follow(stamp);
  const first = view.items[0]?.index ?? 0;
  const last = view.items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= first) lines.need(Math.max(0, first - 1), Math.min(graph.total, last + 2));
  }, [lines, stamp, first, last, graph.total]);
  const chosen = versions.chosen.value;
  useInSight(chosen.id, chosen.index, view);
  const active =
    chosen.index >= first && chosen.index <= last ? `${id}-${chosen.index}` : undefined;
  return (
    <div
      ref={scroller}
      class="b-rows b-versions"
      role="grid"
      tabIndex={0}
      aria-label="Versions"
      aria-rowcount={graph.total}
      aria-activedescendant={active}
      style={graph.versions > 1 ? {} : { height: `${graph.total * ROW + 1}px` }}
    >
      <div class="b-rows-inner" style={{ height: `${view.height}px` }}>
        {view.items.map(({ index, start }) => {
          const line = lines.line(index);
          const place = { id: `${id}-${index}`, index, top: start };
          if (!line) return <BoneRow key={index} {...place} />;
          return (
            <VersionRow
              key={index}
              {...place}
              line={line}
              lanes={graph.lanes}
              standing={standingOf(index, graph)}
              chosen={line.id === chosen.id}
              now={now}
              onChoose={() => versions.choose(line.id, index)}
              onView={() => void versions.view()}
            />
          );
        })}
      </div>
    </div>
  );
}

/** What a line is beside a version: the dashed line leads from what is staged to the head. */
export interface Standing {
  staged: boolean;
  head: boolean;
  viewed: boolean;
  dashed: "none" | "out" | "past" | "into";
}

export function standingOf(index: number, graph: GraphInfo): Standing {
  const waiting = graph.staged + graph.decisions > 0;
  const above = waiting && index <= graph.head;
  const part = index === 0 ? "out" : index === graph.head ? "into" : "past";
  return {
    staged: waiting && index === 0,
    head: index === graph.head,
    viewed: index === graph.viewing,
    dashed: above ? part : "none",
  };
}

/** Scroll to the chosen version when another one is chosen or the list gets another size. */
function useInSight(id: string, index: number, view: Window): void {
  const shown = useRef("");
  useEffect(() => {
    const place = `${id} ${view.room}`;
    if (index < 0 || view.room === 0 || shown.current === place) return;
    shown.current = place;
    view.show(index);
  });
}
