import type { Near } from "../../contract";
import type { Known } from "../../session/evidence";
import { classColor } from "../../ui/palette";
import { Picture } from "../../ui/parts";
import { useDark } from "../../ui/theme";

/** Longer names stand once for all rows that have them. */
const SHORT = 3;
const SIDE = 36;

/** The nearest rows, nearest first, each with its label. */
export function Nearest({ known, pictures }: { known: Known; pictures: boolean }) {
  const dark = useDark();
  const { neighbours, missing } = known.evidence;
  if (neighbours.length === 0) {
    return pictures && missing.neighbours === "" ? <span class="b-bone b-bone-near" /> : null;
  }
  if (pictures) return <Pictures known={known} dark={dark} />;
  return <Labels near={neighbours} dark={dark} />;
}

function Pictures({ known, dark }: { known: Known; dark: boolean }) {
  const { evidence, buffers } = known;
  return (
    <ol class="b-near-pictures" aria-label="Nearest rows">
      {evidence.neighbours.map((near) => {
        const { key, image, row } = near.preview;
        const bytes = image === null ? undefined : buffers[image];
        return (
          <li key={row} title={told(near)}>
            <span class="b-near-picture">
              {bytes ? <Picture bytes={bytes} alt={key} size={SIDE} /> : null}
            </span>
            <Name near={near} dark={dark} />
          </li>
        );
      })}
    </ol>
  );
}

function Labels({ near, dark }: { near: readonly Near[]; dark: boolean }) {
  const long = near.some(({ preview }) => (preview.label?.length ?? 0) > SHORT);
  const groups = long ? grouped(near) : near.map((one) => [one]);
  return (
    <ol class="b-near-labels" aria-label="Nearest rows">
      {groups.map((same) => {
        const [first] = same as [Near, ...Near[]];
        return (
          <li key={first.preview.row} title={same.map(told).join("\n")}>
            <Name near={first} dark={dark} />
            {same.length > 1 ? <span class="b-near-count">×{same.length}</span> : null}
          </li>
        );
      })}
    </ol>
  );
}

/** Rows of one label together, in the order in which the nearest of each comes. */
function grouped(near: readonly Near[]): Near[][] {
  const groups = new Map<string | null, Near[]>();
  for (const one of near) {
    const same = groups.get(one.preview.label) ?? [];
    groups.set(one.preview.label, [...same, one]);
  }
  return [...groups.values()];
}

function Name({ near: { code, preview }, dark }: { near: Near; dark: boolean }) {
  return (
    <span class={`b-near-name${preview.label === null ? " b-none" : ""}`}>
      <span class="b-dot" style={{ background: classColor(code, dark) }} aria-hidden="true" />
      <span>{preview.label ?? "none"}</span>
    </span>
  );
}

/** A neighbour in words, for the tooltip. */
function told({ preview, similarity }: Near): string {
  const text = preview.text === null ? "" : `: ${preview.text}`;
  return `${preview.key}, labelled ${preview.label ?? "nothing"}, similarity ${similarity.toFixed(2)}${text}`;
}
