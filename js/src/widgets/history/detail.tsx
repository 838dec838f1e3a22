import { useState } from "preact/hooks";
import type { Made, Said, VersionDetail } from "../../contract";
import type { State } from "../../session/state";
import { irrevertible, type Versions } from "../../session/versions";
import { copyText } from "../../ui/clipboard";
import { Button, Empty, Keycap } from "../../ui/parts";
import { absolute, relative, useNow } from "../../ui/time";
import { count } from "../../ui/words";
import { Flow } from "./flow";
import { RevertButton } from "./revert";
import { Refs } from "./row";

interface Props {
  state: State;
  versions: Versions;
}

/** The chosen version in full, and what can be done with it. */
export function Detail({ state, versions }: Props) {
  const detail = versions.shown.value;
  if (detail === null) return <Loading />;
  const waiting = detail.id !== versions.chosen.value.id;
  return (
    <section class="b-detail" aria-label="Version" aria-busy={waiting} data-version={detail.name}>
      <div class="b-detail-scroll">
        <Title detail={detail} head={detail.id === state.graph.value.head_id} />
        <p class={detail.id === "" ? "b-detail-message b-none" : "b-detail-message"}>
          {detail.id === "" ? "Not committed yet: the next commit writes it." : detail.message}
        </p>
        <Facts detail={detail} versions={versions} />
        <Changed detail={detail} />
        <Flow state={state} detail={detail} />
        <List title="Reasons" entries={detail.reasons} />
        <List title="From findings" entries={detail.findings} />
        <List title="Decisions" entries={detail.decisions} />
        <Links links={detail.links} />
      </div>
      <Acts state={state} versions={versions} detail={detail} />
    </section>
  );
}

function Title({ detail, head }: { detail: VersionDetail; head: boolean }) {
  return (
    <h3 class="b-detail-title">
      <span>{detail.id === "" ? `${count(detail.cells, "cell")} staged` : detail.name}</span>
      <Refs line={detail} head={head} />
    </h3>
  );
}

/** Who and when; then where it stands in the history. */
function Facts({ detail, versions }: { detail: VersionDetail; versions: Versions }) {
  const now = useNow();
  const ago = relative(detail.time, now);
  const exact = absolute(detail.time);
  return (
    <div class="b-version-facts">
      {detail.id === "" ? null : (
        <p>
          <span class="b-version-facts-author">{detail.author}</span> · {exact}
          {exact.startsWith(ago) ? null : <span class="b-unbroken"> · {ago}</span>}
        </p>
      )}
      <p>
        <After detail={detail} versions={versions} />
        {count(detail.rows, "row")}
        {detail.id === "" ? null : <Id id={detail.id} />}
      </p>
    </div>
  );
}

function After({ detail, versions }: { detail: VersionDetail; versions: Versions }) {
  if (detail.parents.length === 0) return null;
  return (
    <>
      {detail.parents.map(({ id, name }, place) => (
        <span key={id}>
          {place > 0 ? " and " : "after "}
          <Button kind="link" title={`Choose ${name}`} onClick={() => versions.choose(id)}>
            {name}
          </Button>
        </span>
      ))}
      {" · "}
    </>
  );
}

function Id({ id }: { id: string }) {
  const [said, say] = useState("");
  const copy = async () => say((await copyText(id)) ? "Copied" : "The browser did not allow it");
  return (
    <>
      {" · "}
      <code title={id}>{id.slice(0, 8)}</code>{" "}
      <Button kind="link" title="Copy the whole id" onClick={() => void copy()}>
        Copy
      </Button>
      <span class="b-quiet-word" role="status" key={id}>
        {said}
      </span>
    </>
  );
}

function Changed({ detail }: { detail: VersionDetail }) {
  if (detail.columns.length === 0) {
    const words = detail.parents.length === 0 ? "The first version." : "No cell changed.";
    return <p class="b-quiet-word">{words}</p>;
  }
  return (
    <Part title="What changed">
      <ul class="b-counts">
        {detail.columns.map((column) => (
          <li key={column.name}>
            <span title={column.name}>{column.name}</span>
            {column.unit === "fact" ? null : <span>{count(column.cells, column.unit)}</span>}
          </li>
        ))}
      </ul>
    </Part>
  );
}

function List({ title, entries }: { title: string; entries: Said[] }) {
  if (entries.length === 0) return null;
  return (
    <Part title={title}>
      <ul class="b-counts">
        {entries.map((entry) => (
          <li key={entry.text}>
            <span title={entry.text}>{entry.text}</span>
            <span>{entry.count.toLocaleString("en")}</span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function Links({ links }: { links: Made[] }) {
  if (links.length === 0) return null;
  return (
    <Part title="Made of it">
      <ul class="b-counts">
        {links.map(({ kind, name, value }, place) => (
          <li key={`${place} ${name}`}>
            <span title={name}>
              <span class="b-quiet-word">{kind}</span> {name}
            </span>
            <span>{value}</span>
          </li>
        ))}
      </ul>
    </Part>
  );
}

export function Part({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <section class="b-part-of">
      <h4>{title}</h4>
      {children}
    </section>
  );
}

function Acts({ state, versions, detail }: Props & { detail: VersionDetail }) {
  const { viewing, branch } = state.status.value;
  const { head_id, staged, decisions } = state.graph.value;
  const working = detail.id === "" || (detail.id === head_id && staged + decisions === 0);
  const gone = state.connection.value === "gone";
  const here = viewing !== null && viewing === detail.name;
  const back = here || (working && viewing !== null);
  return (
    <div class="b-detail-acts">
      {back ? (
        <Button kind="primary" disabled={gone} keycap="Esc" onClick={() => void versions.return()}>
          Return to {branch}
        </Button>
      ) : (
        <Button
          kind="primary"
          disabled={gone || working}
          title={
            working ? "All widgets show this already" : "Show this version in all widgets (Enter)"
          }
          onClick={() => void versions.view()}
        >
          View on the map <Keycap>↵</Keycap>
        </Button>
      )}
      <RevertButton
        state={state}
        versions={versions}
        detail={detail}
        reason={gone ? "The kernel is not running" : irrevertible(detail)}
      />
    </div>
  );
}

function Loading() {
  return (
    <div class="b-detail" role="status" aria-label="Loading the version">
      <Empty title="">
        <span class="b-bone b-bone-long" />
        <span class="b-bone" />
      </Empty>
    </div>
  );
}
