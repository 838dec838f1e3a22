import { useState } from "preact/hooks";
import type { Acts } from "../session/acts";
import type { State } from "../session/state";
import { submitOnEnter } from "./forms";
import { Button } from "./parts";
import { Popover } from "./popover";
import { stagedWords } from "./words";

interface Props {
  state: State;
  acts: Acts;
  class?: string;
}

/** Message, author and what is staged; Enter commits. */
export function CommitPopover({ state, acts, class: name = "" }: Props) {
  const status = state.status.value;
  const [message, setMessage] = useState("");
  const [author, setAuthor] = useState(status.author);
  const close = () => {
    acts.commit_open.value = null;
  };
  const commit = async () => {
    close();
    await acts.commit(message.trim(), author.trim() || null);
  };
  const ready = message.trim() !== "" && status.staged + status.decisions > 0;
  return (
    <Popover role="dialog" label="Commit" class={`b-commit ${name}`} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void commit();
        }}
        onKeyDown={submitOnEnter}
      >
        <Field
          label="Message"
          value={message}
          onChange={setMessage}
          hint="What was wrong, and what is it now"
        />
        <Field label="Author" value={author} onChange={setAuthor} hint="you" />
        <p class="b-commit-what">
          {stagedWords(status)} on <strong>{status.branch}</strong>, after {status.version}
        </p>
        <div class="b-commit-row">
          <Button kind="quiet" onClick={() => close()}>
            Cancel
          </Button>
          <button type="submit" class="b-button b-primary" aria-disabled={!ready}>
            Commit
          </button>
        </div>
      </form>
    </Popover>
  );
}

/** Opens the panel; says what it would write. */
export function CommitButton({ state, acts }: { state: State; acts: Acts }) {
  const { staged, decisions, read_only } = state.status.value;
  const open = acts.commit_open.value === "header";
  const nothing = staged + decisions === 0 || read_only || state.connection.value === "gone";
  return (
    <span class="b-anchor">
      <Button
        kind="primary"
        disabled={nothing}
        expanded={open}
        title={nothing ? "Nothing to commit" : "Make what is staged the next version"}
        onClick={() => {
          acts.commit_open.value = open ? null : "header";
        }}
      >
        Commit…
      </Button>
      {open && !nothing ? <CommitPopover state={state} acts={acts} /> : null}
    </span>
  );
}

interface FieldProps {
  label: string;
  value: string;
  hint: string;
  onChange(value: string): void;
}

function Field({ label, value, hint, onChange }: FieldProps) {
  return (
    <label class="b-field">
      <span>{label}</span>
      <input
        class="b-input"
        value={value}
        placeholder={hint}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}
