import type { ComponentChildren } from "preact";
import type { Acts } from "../session/acts";
import type { State } from "../session/state";
import { Button } from "./parts";
import { stagedWords } from "./words";

interface HeaderProps {
  state: State;
  acts: Acts;
  children?: ComponentChildren;
}

/** Where the working copy stands, and undo: the same in every widget. */
export function Header({ state, acts, children }: HeaderProps) {
  const status = state.status.value;
  return (
    <header class="b-header">
      <strong class="b-dataset" title={status.dataset}>
        {status.dataset}
      </strong>
      <span class="b-pill b-branch" title={`branch ${status.branch}`}>
        <BranchMark /> <span>{status.branch}</span>
      </span>
      <span class="b-pill" title={`version ${status.version}`}>
        {status.version}
      </span>
      <Staged state={state} />
      <Connection state={state} />
      <span class="b-space" />
      <History state={state} acts={acts} />
      <Button
        kind="quiet"
        label="Keys"
        title="Show all keys (?)"
        expanded={acts.help.value}
        onClick={() => void acts.run({ name: "help" })}
      >
        ?
      </Button>
      {children}
    </header>
  );
}

function Staged({ state }: { state: State }) {
  const status = state.status.value;
  if (status.read_only) return <span class="b-pill b-attention">read-only</span>;
  if (status.staged === 0 && status.decisions === 0) return null;
  const words = status.staged > 0 ? `${status.staged} staged` : `${status.decisions} decided`;
  return (
    <span class="b-pill b-staged" title={`${stagedWords(status)} to commit`}>
      <span class="b-dot" aria-hidden="true" /> {words}
    </span>
  );
}

function Connection({ state }: { state: State }) {
  const connection = state.connection.value;
  if (connection === "live") return null;
  if (connection === "gone") return <span class="b-pill b-attention">kernel gone</span>;
  return (
    <span class="b-pill b-busy" role="status">
      <span class="b-spinner" aria-hidden="true" /> kernel busy
    </span>
  );
}

function History({ state, acts }: { state: State; acts: Acts }) {
  const { undo, redo } = state.status.value;
  return (
    <>
      <Button
        kind="quiet"
        label="Undo"
        disabled={undo === null}
        title={undo === null ? "Nothing to undo" : `Undo: ${undo} (z)`}
        onClick={() => void acts.undo()}
      >
        <span aria-hidden="true">↶</span> <span class="b-word">Undo</span>
      </Button>
      <Button
        kind="quiet"
        label="Redo"
        disabled={redo === null}
        title={redo === null ? "Nothing to redo" : `Redo: ${redo} (Shift z)`}
        onClick={() => void acts.redo()}
      >
        <span aria-hidden="true">↷</span> <span class="b-word">Redo</span>
      </Button>
    </>
  );
}

function BranchMark() {
  return (
    <svg width="10" height="12" viewBox="0 0 10 12" aria-hidden="true" class="b-mark">
      <path d="M2 3v6M8 3.5c0 3-6 2-6 4.5" fill="none" stroke="currentColor" />
      <circle cx="2" cy="2" r="1.3" fill="none" stroke="currentColor" />
      <circle cx="2" cy="10" r="1.3" fill="none" stroke="currentColor" />
      <circle cx="8" cy="2.4" r="1.3" fill="none" stroke="currentColor" />
    </svg>
  );
}
