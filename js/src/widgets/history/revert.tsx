import type { TargetedKeyboardEvent } from "preact";
import type { VersionDetail } from "../../contract";
import type { State } from "../../session/state";
import type { Versions } from "../../session/versions";
import { Button } from "../../ui/parts";
import { Popover } from "../../ui/popover";
import { count } from "../../ui/words";

const QUOTED = 80;

interface Props {
  state: State;
  versions: Versions;
  detail: VersionDetail;
  /** why it cannot be reverted, null when it can */
  reason: string | null;
}

/** Asks first, saying what would happen. */
export function RevertButton({ state, versions, detail, reason }: Props) {
  const open = versions.confirming.value && reason === null;
  return (
    <span class="b-revert">
      <Button
        keycap="r"
        disabled={reason !== null}
        expanded={open}
        title={reason ?? `Write a version that takes ${detail.name} back (r)`}
        onClick={() => {
          if (open) versions.confirming.value = false;
          else versions.ask();
        }}
      >
        Revert…
      </Button>
      {open ? <Confirm state={state} versions={versions} detail={detail} /> : null}
    </span>
  );
}

function Confirm({ state, versions, detail }: Omit<Props, "reason">) {
  const { branch } = state.status.value;
  const close = () => {
    versions.confirming.value = false;
  };
  return (
    <Popover role="dialog" label="Revert" class="b-above b-confirm" onClose={close}>
      <div role="group" aria-label="What it does" onKeyDown={keepInside}>
        <p>
          <strong>Take back {detail.name}?</strong>
        </p>
        <p>
          {takenBack(detail)} before “{shortened(detail.message)}”.
        </p>
        <p class="b-quiet-word">
          A new version on {branch} does it; {detail.name} stays in the history.
        </p>
        <div class="b-commit-row">
          <Button kind="quiet" onClick={close}>
            Cancel
          </Button>
          <button
            type="button"
            class="b-button b-primary"
            data-first=""
            onClick={() => void versions.revert(detail.id)}
          >
            Revert {detail.name}
          </button>
        </div>
      </div>
    </Popover>
  );
}

/** The keys of the list mean nothing while the question is open. */
function keepInside(event: TargetedKeyboardEvent<HTMLDivElement>): void {
  if (event.key !== "Escape") event.stopPropagation();
}

/** "212 cells of label and 10 rows dropped go back to what they were". */
export function takenBack({ columns }: VersionDetail): string {
  const parts = columns.map(({ name, cells, unit }) => {
    if (unit === "fact") return `“${name}”`;
    return unit === "cell"
      ? `${count(cells, "cell")} of ${name}`
      : `${count(cells, "row")} ${name}`;
  });
  const one = columns.length === 1 && columns[0]?.cells === 1;
  const last = parts.pop() ?? "";
  const all = parts.length > 0 ? `${parts.join(", ")} and ${last}` : last;
  return `${all} ${one ? "goes back to what it was" : "go back to what they were"}`;
}

function shortened(message: string): string {
  const line = message.trim().split("\n")[0] ?? "";
  return line.length <= QUOTED ? line : `${line.slice(0, QUOTED - 1)}…`;
}
