import { useEffect, useRef, useState } from "preact/hooks";
import type { SummaryResult } from "../../contract";
import { ClassSearch } from "../../ui/class_search";
import { submitOnEnter } from "../../ui/forms";
import { classColor } from "../../ui/palette";
import { Button } from "../../ui/parts";
import { count } from "../../ui/words";
import type { Bulk } from "./bulk";
import type { MapModel } from "./map_model";

const LABELS_SAID = 3;

export function BulkBar({ map }: { map: MapModel }) {
  const rows = map.selecting.count.value;
  if (rows === 0) return null;
  const { bulk } = map;
  const summary = bulk.summary.value;
  return (
    <div class="b-map-bulk" role="group" aria-label="Selected rows">
      <strong>{count(rows, "row")}</strong>
      <span class="b-map-said" title={summary ? labelsInFull(summary) : undefined}>
        {summary ? said(summary, bulk.to.value) : ""}
      </span>
      <BulkActs map={map} bulk={bulk} />
      <Button
        kind="quiet"
        label="Clear the selection"
        title="Clear (Esc)"
        onClick={() => map.clear()}
      >
        ✕
      </Button>
    </div>
  );
}

function BulkActs({ map, bulk }: { map: MapModel; bulk: Bulk }) {
  const { status, connection, classes } = map.state;
  const blocked =
    status.value.read_only ||
    connection.value === "gone" ||
    bulk.working.value ||
    !bulk.summary.value;
  const to = bulk.to.value;
  const idle = to === null || bulk.summary.value?.changed === 0;
  return (
    <>
      {classes.value.length > 0 ? <ClassChoice map={map} bulk={bulk} /> : null}
      <Button kind="primary" disabled={blocked || idle} onClick={() => void bulk.relabel()}>
        Apply
      </Button>
      <MarkChoice bulk={bulk} blocked={blocked} />
      <Button kind="quiet" disabled={blocked} onClick={() => void bulk.drop()}>
        Drop
      </Button>
    </>
  );
}

function ClassChoice({ map, bulk }: { map: MapModel; bulk: Bulk }) {
  const [open, setOpen] = useState(false);
  const to = bulk.to.value;
  const choose = (name: string) => {
    bulk.to.value = name;
    setOpen(false);
    focusRoot(map);
  };
  return (
    <span class="b-map-anchor">
      <Button expanded={open} title={to ?? "Choose a class"} onClick={() => setOpen(!open)}>
        <span class="b-map-to">{to === null ? "Relabel to…" : `Relabel to ${to}`}</span> ▾
      </Button>
      {open ? (
        <div class="b-map-menu">
          <ClassSearch
            classes={map.state.classes.value}
            before={({ code }) => (
              <span class="b-map-dot" style={{ background: classColor(code, map.dark.value) }} />
            )}
            onChoose={choose}
            onClose={() => setOpen(false)}
          />
        </div>
      ) : null}
    </span>
  );
}

function focusRoot(map: MapModel): void {
  map.stage.closest<HTMLElement>(".burnish")?.focus({ preventScroll: true });
}

function MarkChoice({ bulk, blocked }: { bulk: Bulk; blocked: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <span class="b-map-anchor">
      <Button kind="quiet" disabled={blocked} expanded={open} onClick={() => setOpen(!open)}>
        Mark
      </Button>
      {open ? <MarkName bulk={bulk} onClose={() => setOpen(false)} /> : null}
    </span>
  );
}

function MarkName({ bulk, onClose }: { bulk: Bulk; onClose(): void }) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  return (
    <form
      class="b-map-menu b-map-mark"
      aria-label="Mark the rows"
      onSubmit={(event) => {
        event.preventDefault();
        const name = input.current?.value.trim();
        if (name) void bulk.mark(name);
        onClose();
      }}
      onKeyDown={submitOnEnter}
    >
      <input
        ref={input}
        class="b-input"
        aria-label="Name of the mark"
        defaultValue="hard"
        onBlur={onClose}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onClose();
        }}
      />
      <span class="b-map-quiet">Enter marks the rows with this name.</span>
    </form>
  );
}

/** Before a class is chosen what the rows are; after it, what would change. */
export function said(summary: SummaryResult, to: string | null): string {
  const parts = [to === null ? labels(summary) : changes(summary, to)];
  if (summary.hidden > 0) parts.push(`${summary.hidden.toLocaleString("en")} not shown`);
  return parts.join(" · ");
}

function changes({ changed, unchanged }: SummaryResult, to: string): string {
  const change = `${changed.toLocaleString("en")} ${changed === 1 ? "changes" : "change"}`;
  return unchanged === 0 ? change : `${change}, ${unchanged.toLocaleString("en")} already ${to}`;
}

function labels({ labels }: SummaryResult): string {
  const first = labels.slice(0, LABELS_SAID).map(inWords);
  const rest = labels.slice(LABELS_SAID).reduce((sum, label) => sum + label.count, 0);
  return [...first, ...(rest > 0 ? [`${rest.toLocaleString("en")} other`] : [])].join(", ");
}

function labelsInFull({ labels }: SummaryResult): string {
  return labels.slice(0, 50).map(inWords).join(", ");
}

function inWords({ name, count: rows }: SummaryResult["labels"][number]): string {
  const n = rows.toLocaleString("en");
  return name === null ? `${n} without label` : `${n} labelled ${name}`;
}
