import type { ClassInfo, ClassProbability, Item } from "../../contract";
import type { Acts } from "../../session/acts";
import { keycapOf } from "../../session/keymap";
import { Bar, Keycap } from "../../ui/parts";
import { score } from "../../ui/words";

const SHOWN = 3;
/** pixels; there is room for one more line, so that the form keeps its height from row to row */
const LINE = 26;

interface Props {
  item: Item;
  classes: readonly ClassInfo[];
  acts: Acts;
}

/** The likeliest classes and the given one; each line gives its class to the row. */
export function Probabilities({ item, classes, acts }: Props) {
  const lines = likeliest(item);
  if (lines.length === 0) return null;
  const room = Math.min(SHOWN + 1, item.probabilities.length) * LINE;
  return (
    <div
      class="b-probabilities"
      role="group"
      aria-label="What the model says"
      style={{ minHeight: `${room}px` }}
    >
      {lines.map((line, index) => (
        <Line
          key={line.name}
          line={line}
          first={index === 0}
          given={line.name === item.preview.label}
          keycap={keycap(line, classes)}
          onChoose={() => void acts.relabel(line.name)}
        />
      ))}
    </div>
  );
}

/** The first three, and the label the row has when it is not among them. */
export function likeliest(item: Item): ClassProbability[] {
  const top = item.probabilities.slice(0, SHOWN);
  const given = item.probabilities.find(({ name }) => name === item.preview.label);
  return given && !top.includes(given) ? [...top, given] : top;
}

function keycap(line: ClassProbability, classes: readonly ClassInfo[]): string | null {
  const info = classes[line.code];
  return info ? keycapOf(info) : null;
}

interface LineProps {
  line: ClassProbability;
  first: boolean;
  given: boolean;
  keycap: string | null;
  onChoose(): void;
}

function Line({ line, first, given, keycap: key, onChoose }: LineProps) {
  const title = given ? `${line.name}: the label it has` : `Relabel to ${line.name}`;
  return (
    <button type="button" class="b-probability" title={title} onClick={onChoose}>
      <span class="b-probability-key">{key ? <Keycap>{key}</Keycap> : null}</span>
      <span class="b-probability-name">{line.name}</span>
      <Bar share={line.probability} tone={first ? "good" : "low"} />
      <span class="b-probability-value">{score(line.probability)}</span>
    </button>
  );
}
