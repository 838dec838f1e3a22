import type { ComponentChildren } from "preact";
import type { VersionLine } from "../../contract";
import { absolute, relative } from "../../ui/time";
import { count } from "../../ui/words";
import { GraphCell } from "./graph";
import type { Standing } from "./list";

interface Place {
  id: string;
  index: number;
  top: number;
}

interface Props extends Place {
  line: VersionLine;
  lanes: number;
  standing: Standing;
  chosen: boolean;
  now: number;
  onChoose(): void;
  onView(): void;
}

export function VersionRow(props: Props) {
  const { id, index, top, line, lanes, standing, chosen, now } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the grid around it has the focus
    <div
      id={id}
      class={`b-version${chosen ? " b-current" : ""}${standing.viewed ? " b-viewed" : ""}`}
      style={{ transform: `translateY(${top}px)` }}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={chosen}
      data-version={line.name || "staged"}
      onClick={props.onChoose}
      onDblClick={props.onView}
    >
      <GraphCell line={line} lanes={lanes} standing={standing} />
      <div class="b-version-text">
        <Cell class="b-version-what">
          {standing.staged ? <Staged line={line} /> : <What line={line} standing={standing} />}
        </Cell>
        <Cell class="b-version-author" title={line.author}>
          {line.author}
        </Cell>
        <Cell class="b-version-time" title={absolute(line.time)}>
          {standing.staged ? "not committed" : relative(line.time, now)}
        </Cell>
        <Cell class="b-version-cells" title={count(line.cells, "cell")}>
          {line.cells === 0 ? "–" : line.cells.toLocaleString("en")}
        </Cell>
      </div>
    </div>
  );
}

function What({ line, standing }: { line: VersionLine; standing: Standing }) {
  return (
    <>
      <strong class="b-version-name">{line.name}</strong>
      <Refs line={line} head={standing.head} />
      {standing.viewed ? <span class="b-ref b-ref-viewed">viewed</span> : null}
      <span class="b-version-message" title={line.message}>
        {line.message}
      </span>
    </>
  );
}

function Staged({ line }: { line: VersionLine }) {
  const words = line.cells > 0 ? `${count(line.cells, "cell")} staged` : "Decisions staged";
  return (
    <>
      <strong class="b-version-name b-version-staged">{words}</strong>
      <span class="b-version-message" title={line.message}>
        {line.message}
      </span>
    </>
  );
}

/** Names for a version: branches, then tags. */
export function Refs({
  line,
  head,
}: {
  line: Pick<VersionLine, "branches" | "tags">;
  head: boolean;
}) {
  return (
    <>
      {line.branches.map((name) => (
        <span
          key={name}
          class={`b-ref b-ref-branch${head ? " b-ref-head" : ""}`}
          title={`branch ${name}`}
        >
          {name}
        </span>
      ))}
      {line.tags.map((name) => (
        <span key={name} class="b-ref b-ref-tag" title={`tag ${name}`}>
          {name}
        </span>
      ))}
    </>
  );
}

interface CellProps {
  class: string;
  title?: string;
  children: ComponentChildren;
}

function Cell({ class: name, title, children }: CellProps) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the grid around it has the focus
    <span class={name} title={title} role="gridcell">
      {children}
    </span>
  );
}

export function BoneRow({ id, index, top }: Place) {
  return (
    <div
      id={id}
      class="b-version b-skeleton"
      style={{ transform: `translateY(${top}px)` }}
      aria-hidden="true"
      data-index={index}
    >
      <div class="b-version-text">
        <span class="b-bone b-bone-long" />
        <span class="b-bone" />
      </div>
    </div>
  );
}
