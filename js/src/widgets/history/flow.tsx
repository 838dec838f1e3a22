import { useState } from "preact/hooks";
import type { ClassFlow, VersionDetail } from "../../contract";
import { NO_CLASS } from "../../contract";
import type { State } from "../../session/state";
import { classColor } from "../../ui/palette";
import { Button } from "../../ui/parts";
import { useDark } from "../../ui/theme";
import { count } from "../../ui/words";
import { Part } from "./detail";

const SHOWN = 8;

/** How often each class became another one, most frequent first. */
export function Flow({ state, detail }: { state: State; detail: VersionDetail }) {
  const [all, setAll] = useState("");
  const dark = useDark();
  const { flow, flow_total, flow_pairs } = detail;
  if (flow.length === 0) return null;
  const open = all === detail.id || flow.length <= SHOWN + 1;
  const lines = open ? flow : flow.slice(0, SHOWN);
  const most = Math.max(...flow.map(({ cells }) => cells));
  const rest = flow_total - lines.reduce((sum, { cells }) => sum + cells, 0);
  return (
    <Part title={`${state.status.value.label ?? "label"}, before → after`}>
      <ul class="b-flow">
        {lines.map((line) => (
          <Line key={`${line.old}→${line.new}`} line={line} most={most} dark={dark} />
        ))}
      </ul>
      {rest > 0 ? (
        <p class="b-quiet-word">
          {count(flow_pairs - lines.length, "other pair")}, {count(rest, "cell")}{" "}
          {open ? null : (
            <Button kind="link" onClick={() => setAll(detail.id)}>
              Show
            </Button>
          )}
        </p>
      ) : null}
    </Part>
  );
}

function Line({ line, most, dark }: { line: ClassFlow; most: number; dark: boolean }) {
  return (
    <li>
      <Class name={line.old} code={line.old_code} dark={dark} />
      <span class="b-arrow">→</span>
      <Class name={line.new} code={line.new_code} dark={dark} />
      <span class="b-bar" aria-hidden="true">
        <span class="b-fill" style={{ width: `${(line.cells / most) * 100}%` }} />
      </span>
      <span class="b-flow-count">{line.cells.toLocaleString("en")}</span>
    </li>
  );
}

function Class({ name, code, dark }: { name: string | null; code: number; dark: boolean }) {
  const color = classColor(code < 0 ? NO_CLASS : code, dark);
  return (
    <span class={`b-flow-class${name === null ? " b-none" : ""}`} title={name ?? "no label"}>
      <span class="b-flow-dot" style={{ background: color }} aria-hidden="true" />
      <span class="b-flow-name">{name ?? "no label"}</span>
    </span>
  );
}
