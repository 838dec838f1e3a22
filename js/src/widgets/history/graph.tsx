import type { VersionLine } from "../../contract";
import type { Standing } from "./list";

const HEIGHT = 40;
const MIDDLE = HEIGHT / 2;
const LANE = 16;
const EDGE = 14;
/** Lanes stand closer where there are many. */
const WIDEST = 168;

function gap(lanes: number): number {
  return lanes < 2 ? LANE : Math.min(LANE, (WIDEST - 2 * EDGE) / (lanes - 1));
}

export function graphWidth(lanes: number): number {
  return 2 * EDGE + gap(lanes) * (Math.max(1, lanes) - 1);
}

interface Props {
  line: VersionLine;
  lanes: number;
  standing: Standing;
}

/** The part of the graph that stands beside one version. */
export function GraphCell({ line, lanes, standing }: Props) {
  const x = (lane: number) => EDGE + gap(lanes) * lane;
  const at = x(line.lane);
  const { dashed } = standing;
  const look = (lane: number, part: Standing["dashed"]) => {
    const kind = lane === 0 ? "b-graph-main" : "b-graph-side";
    return lane === 0 && dashed === part ? `${kind} b-graph-dashed` : kind;
  };
  return (
    <svg class="b-graph" width={graphWidth(lanes)} height={HEIGHT} aria-hidden="true">
      {line.past.map((lane) => (
        <path key={`p${lane}`} class={look(lane, "past")} d={`M${x(lane)} 0V${HEIGHT}`} />
      ))}
      {line.into.map((lane) => (
        <path key={`i${lane}`} class={look(lane, "into")} d={bend(x(lane), 0, at)} />
      ))}
      {line.out.map((lane) => (
        <path key={`o${lane}`} class={look(lane, "out")} d={bend(x(lane), HEIGHT, at)} />
      ))}
      <Dot x={at} line={line} standing={standing} />
    </svg>
  );
}

/** From the edge of the row into its dot: straight in the same lane, else a soft turn. */
function bend(from: number, edge: 0 | 40, to: number): string {
  if (from === to) return `M${from} ${edge}V${MIDDLE}`;
  return `M${from} ${edge}C${from} ${MIDDLE} ${from} ${MIDDLE} ${to} ${MIDDLE}`;
}

function Dot({ x, line, standing }: { x: number; line: VersionLine; standing: Standing }) {
  const kind = standing.staged ? "staged" : standing.head ? "head" : "plain";
  const merge = line.out.length > 1;
  return (
    <>
      {standing.viewed ? <circle class="b-dot-viewed" cx={x} cy={MIDDLE} r={8.5} /> : null}
      <circle class={`b-dot-${kind}`} cx={x} cy={MIDDLE} r={merge ? 5.5 : 4.5} />
      {merge ? <circle class={`b-dot-${kind} b-dot-in`} cx={x} cy={MIDDLE} r={2} /> : null}
    </>
  );
}
