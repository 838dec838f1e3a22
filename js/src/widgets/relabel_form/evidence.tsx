import { useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Evidence, Item, PairEvidence, PastDecision, Twin } from "../../contract";
import type { Acts } from "../../session/acts";
import type { Known } from "../../session/evidence";
import { absolute, relative, useNow } from "../../ui/time";
import { count, percent, percents, verdictWord } from "../../ui/words";
import { Nearest } from "./nearest";

/** Decisions on the row that are shown; how many came before them is said. */
const DECISIONS = 2;
const LABELS = 3;

const PAIR =
  "Share of the rows of the one class that the model confidently takes for the other, and its 95 % interval";
const MARGIN = "Probability of the given label minus that of the likeliest other class";

interface Props {
  item: Item;
  acts: Acts;
  /** whether rows have pictures, so that there is room for those of the nearest */
  pictures: boolean;
}

/** What speaks for and against the finding; the row itself never waits for it. */
export function EvidencePart({ item, acts, pictures }: Props) {
  const feed = acts.evidence;
  useSignalEffect(() => {
    feed.stamp.value;
    return feed.follow();
  });
  const known = feed.known.value;
  const waiting = known?.evidence.row !== item.preview.row;
  return (
    <section class="b-evidence" aria-label="Evidence" aria-busy={waiting}>
      {waiting ? <Bones pictures={pictures} over={known !== null} /> : null}
      {known === null ? null : <Told item={item} known={known} pictures={pictures} />}
    </section>
  );
}

function Told({ item, known, pictures }: { item: Item; known: Known; pictures: boolean }) {
  const { evidence } = known;
  return (
    <>
      <p class="b-why">
        <Facts evidence={evidence} item={item} />
      </p>
      <Nearest known={known} pictures={pictures} />
      <Decisions decisions={evidence.decisions} />
    </>
  );
}

/** Sentences with a dot between them. */
function Facts({ evidence, item }: { evidence: Evidence; item: Item }) {
  const { pair, missing } = evidence;
  const facts = [
    <Agreement evidence={evidence} item={item} />,
    pair === null ? null : <Pair pair={pair} />,
    missing.neighbours && missing.neighbours === missing.duplicates ? null : (
      <Twins evidence={evidence} split={item.split} />
    ),
    evidence.margin === null ? null : (
      <Margin evidence={evidence} margin={evidence.margin} given={pair?.given ?? item.given} />
    ),
  ];
  return <>{facts.map((fact, place) => fact && <span key={place}>{fact}</span>)}</>;
}

/** "8 of 10 nearest rows are 9, 1 is 8". */
function Agreement({ evidence, item }: { evidence: Evidence; item: Item }) {
  const { neighbours: near, missing } = evidence;
  if (missing.neighbours === "") return <Later>looking for the nearest rows…</Later>;
  if (missing.neighbours !== null && missing.neighbours === missing.duplicates) {
    return <Unknown why={missing.neighbours}>nearest rows and duplicates unknown</Unknown>;
  }
  if (near.length === 0) return <Unknown why={missing.neighbours}>no nearest rows</Unknown>;
  const { suggestion } = item.preview;
  const asked = suggestion ?? item.given;
  const other = item.given === asked ? null : item.given;
  const like = (name: string | null) => near.filter(({ preview }) => preview.label === name).length;
  return (
    <>
      {like(asked)} of {count(near.length, "nearest row")} {are(like(asked))} <Name of={asked} />
      {other === null || like(other) === 0 ? null : (
        <>
          , {like(other)} {are(like(other))} <Name of={other} />
        </>
      )}
    </>
  );
}

function are(n: number): string {
  return n === 1 ? "is" : "are";
}

function Pair({ pair }: { pair: PairEvidence }) {
  const { rate, low, high, given, suggestion, accepted, kept } = pair;
  const done = accepted + kept > 0 ? `; ${accepted} accepted, ${kept} kept` : "";
  if (rate === null || low === null || high === null) {
    return (
      <>
        {count(pair.flagged, "row")} flagged <Name of={given} /> → <Name of={suggestion} />
        {done}
      </>
    );
  }
  return (
    <span title={PAIR}>
      {percent(rate)} of <Name of={given} /> look like <Name of={suggestion} />{" "}
      <span class="b-range">({percents(low, high)})</span>
      {done}
    </span>
  );
}

/** "2 near duplicates labelled dog, cat; 1 not in train": copies in several splits leak. */
function Twins({ evidence, split }: { evidence: Evidence; split: string | null }) {
  const { duplicates: twins, duplicate_total: total, missing } = evidence;
  if (missing.duplicates === "") return <Later>looking for duplicates…</Later>;
  if (missing.duplicates !== null) {
    return <Unknown why={missing.duplicates}>duplicates unknown</Unknown>;
  }
  if (total === 0) return <>no duplicates</>;
  const elsewhere = twins.filter((twin) => twin.split !== split).length;
  return (
    <>
      {total > twins.length ? count(total, "duplicate") : kinds(twins)} labelled{" "}
      <LabelCounts twins={twins} />
      {split === null || elsewhere === 0 ? null : `; ${elsewhere} not in ${split}`}
    </>
  );
}

function LabelCounts({ twins }: { twins: readonly Twin[] }) {
  const counts = new Map<string | null, number>();
  for (const { preview } of twins) counts.set(preview.label, (counts.get(preview.label) ?? 0) + 1);
  const shown = [...counts].sort(([, a], [, b]) => b - a).slice(0, LABELS);
  const keys = twins.map(({ preview }) => preview.key).join(", ");
  return (
    <span title={keys}>
      {shown.map(([label, n], place) => (
        <span key={label}>
          {place > 0 ? ", " : ""}
          <Name of={label} />
          {counts.size > 1 && n > 1 ? ` (${n})` : ""}
        </span>
      ))}
      {counts.size > LABELS ? " and others" : ""}
    </span>
  );
}

/** "1 exact and 2 near duplicates". */
function kinds(twins: readonly Twin[]): string {
  const exact = twins.filter(({ kind }) => kind === "exact").length;
  const near = twins.length - exact;
  const noun = twins.length === 1 ? "duplicate" : "duplicates";
  if (near === 0) return `${exact} exact ${noun}`;
  return exact === 0 ? `${near} near ${noun}` : `${exact} exact and ${near} near ${noun}`;
}

interface MarginProps {
  evidence: Evidence;
  margin: number;
  given: string | null;
}

function Margin({ evidence, margin, given }: MarginProps) {
  return (
    <span title={MARGIN}>
      the model prefers <Name of={margin < 0 ? evidence.likeliest : given} />{" "}
      <span class="b-range">by {Math.abs(margin).toFixed(2)}</span>
    </span>
  );
}

function Later({ children }: { children: string }) {
  return <em class="b-none">{children}</em>;
}

function Unknown({ why, children }: { why: string | null; children: string }) {
  return (
    <>
      {children}
      {why === null ? null : `: ${why}`}
    </>
  );
}

function Name({ of }: { of: string | null }) {
  return (
    <strong class="b-word" title={of ?? "no label"}>
      {of ?? "no label"}
    </strong>
  );
}

function Decisions({ decisions }: { decisions: readonly PastDecision[] }) {
  const now = useNow();
  if (decisions.length === 0) return null;
  const shown = decisions.slice(-DECISIONS).reverse();
  const rest = decisions.length - shown.length;
  return (
    <ul class="b-past" aria-label="Earlier decisions">
      {shown.map((past) => (
        <li key={`${past.time} ${past.verdict}`}>
          <Past past={past}>{relative(past.time, now)}</Past>
        </li>
      ))}
      {rest > 0 ? <li>{count(rest, "decision")} before</li> : null}
    </ul>
  );
}

function Past({ past, children }: { past: PastDecision; children: ComponentChildren }) {
  return (
    <>
      {verdictWord(past.verdict)} by {past.by}, <time title={absolute(past.time)}>{children}</time>
      {past.reason === null ? null : <q>{past.reason}</q>}
    </>
  );
}

/** Over the evidence of the row before, bones appear only when the wait is long. */
function Bones({ pictures, over }: { pictures: boolean; over: boolean }) {
  return (
    <div
      class={`b-evidence-bones${over ? " b-late" : ""}`}
      role="status"
      aria-label="Loading the evidence"
    >
      <span class="b-bone b-bone-long" />
      <span class="b-bone b-bone-long" />
      {pictures ? <span class="b-bone b-bone-near" /> : null}
    </div>
  );
}
