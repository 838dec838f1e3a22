import { useLayoutEffect, useRef } from "preact/hooks";
import { type ClassInfo, NO_CLASS } from "../../contract";
import { classColor } from "../../ui/palette";
import { type Filter, passes } from "./colors";
import type { MapModel } from "./map_model";

interface Entry {
  readonly code: number;
  readonly name: string;
  readonly count: number;
}

const NARROW = 520;

export function Legend({ map }: { map: MapModel }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => (box.current ? reserveRoom(map, box.current) : undefined), [map]);
  const entries = entriesOf(map.state.classes.value, map.state.status.value.rows);
  return (
    <div ref={box} class="b-map-legend" role="group" aria-label="Classes">
      <div class="b-map-classes" data-scrolls>
        {entries.map((entry) => (
          <ClassEntry key={entry.code} map={map} entry={entry} />
        ))}
      </div>
      <IssueEntry map={map} />
    </div>
  );
}

/** The points keep clear of the legend, where there is room for both. */
function reserveRoom(map: MapModel, box: HTMLElement): () => void {
  const reserve = () => {
    const wide = map.stage.clientWidth >= NARROW;
    map.picture.reserve(wide ? box.offsetWidth + 20 : 24);
  };
  const observer = new ResizeObserver(reserve);
  observer.observe(box);
  observer.observe(map.stage);
  reserve();
  return () => observer.disconnect();
}

function entriesOf(classes: readonly ClassInfo[], rows: number): Entry[] {
  const entries = classes.map(({ name, count }, code) => ({ code, name, count }));
  const labelled = entries.reduce((sum, { count }) => sum + count, 0);
  if (rows > labelled) entries.push({ code: NO_CLASS, name: "no label", count: rows - labelled });
  return entries;
}

function ClassEntry({ map, entry }: { map: MapModel; entry: Entry }) {
  const { code, name, count } = entry;
  const filter = map.filter.value;
  const chosen = filter.has(code);
  return (
    <button
      type="button"
      class="b-map-entry"
      data-out={!passes(filter, code)}
      aria-pressed={chosen}
      title={`${name}: ${count.toLocaleString("en")} rows. Click to show only these, with Ctrl or ⌘ to add.`}
      onClick={(event) => {
        map.filter.value = toggled(filter, code, event.ctrlKey || event.metaKey || event.shiftKey);
      }}
    >
      <span class="b-map-dot" style={{ background: classColor(code, map.dark.value) }} />
      <span class="b-map-name">{name}</span>
      <span class="b-map-count">{count.toLocaleString("en")}</span>
    </button>
  );
}

/** A click shows one class, the next one all again; with a modifier it adds or takes away. */
export function toggled(filter: Filter, code: number, add: boolean): Filter {
  if (!add) return filter.size === 1 && filter.has(code) ? new Set() : new Set([code]);
  const next = new Set(filter);
  if (!next.delete(code)) next.add(code);
  return next;
}

function IssueEntry({ map }: { map: MapModel }) {
  const flagged = map.flaggedCount.value;
  const only = map.flaggedOnly.value;
  if (flagged === 0 && !only) return null;
  return (
    <button
      type="button"
      class="b-map-entry b-map-issue"
      aria-pressed={only}
      title={only ? "Show all rows" : "Show only rows with an undecided issue"}
      onClick={() => {
        map.flaggedOnly.value = !only;
      }}
    >
      <span class="b-map-ring" />
      <span class="b-map-name">issue</span>
      <span class="b-map-count">{flagged.toLocaleString("en")}</span>
    </button>
  );
}
