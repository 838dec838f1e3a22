import { effect } from "@preact/signals";
import type { ComponentChildren, TargetedKeyboardEvent, TargetedMouseEvent } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type Acts, actsOf } from "../session/acts";
import { commandFor, type Keymap } from "../session/keymap";
import type { Actions, State } from "../session/state";
import { CommitButton } from "./commit";
import { Header } from "./header";
import { Button, Keycap } from "./parts";

interface FrameProps {
  name: string;
  label: string;
  state: State;
  actions: Actions;
  dark: boolean;
  /** whether the header has the commit button */
  commit: boolean;
  keys: Keymap;
  children: ComponentChildren;
}

const QUIET = { "data-lm-suppress-shortcuts": "true" };

/** The root of a widget: keys, theme, header, errors and help stay inside it. */
export function Frame(props: FrameProps) {
  const { state, actions, name, keys } = props;
  const acts = actsOf(state, actions);
  const root = useRef<HTMLElement>(null);
  useLayoutEffect(() => announce(state, acts), [state, acts]);
  return (
    <section
      ref={root}
      class={`burnish burnish-${name}`}
      tabIndex={0}
      aria-label={props.label}
      {...QUIET}
      data-theme={props.dark ? "dark" : "light"}
      onKeyDown={(event) => onKeyDown(event, state, acts, keys, root.current)}
      onFocusIn={({ target }) => keepShortcutsOut(target)}
      onMouseDown={(event) => keepFocus(event, root.current)}
    >
      <Header state={state} acts={acts}>
        {props.commit ? <CommitButton state={state} acts={acts} /> : null}
      </Header>
      <Trouble state={state} />
      <Viewing state={state} acts={acts} />
      {props.children}
      <Notice acts={acts} />
      {acts.help.value ? <Help acts={acts} keys={keys} /> : null}
    </section>
  );
}

/** JupyterLab's shortcuts match the focused element itself, so the mark on the root is not enough. */
function keepShortcutsOut(target: EventTarget | null): void {
  if (!(target instanceof Element)) return;
  for (const [name, value] of Object.entries(QUIET)) target.setAttribute(name, value);
}

function onKeyDown(
  event: TargetedKeyboardEvent<HTMLElement>,
  state: State,
  acts: Acts,
  keys: Keymap,
  root: HTMLElement | null,
): void {
  if (event.key === "Escape" && closeOpen(acts, root, event.target)) {
    claim(event);
    return;
  }
  const command = commandFor(event, state.classes.peek(), keys);
  if (command === null) return;
  claim(event);
  void acts.run(command);
}

function claim(event: Event): void {
  event.preventDefault();
  event.stopPropagation();
}

/** Close what is open, or leave an input for the root; false when there was nothing to leave. */
function closeOpen(acts: Acts, root: HTMLElement | null, target: EventTarget | null): boolean {
  const open = acts.help.peek() || acts.class_search.peek() || acts.commit_open.peek() !== null;
  acts.help.value = false;
  acts.class_search.value = false;
  acts.commit_open.value = null;
  const inside = target !== root && target instanceof HTMLElement && target.matches("input");
  if (open || inside) root?.focus({ preventScroll: true });
  return open || inside;
}

/** A click on a button leaves the keys with the root: the button may be gone after the act. */
function keepFocus(event: TargetedMouseEvent<HTMLElement>, root: HTMLElement | null): void {
  const target = event.target instanceof Element ? event.target : null;
  if (!target?.closest("button") || target.closest("[role=dialog], [role=menu]")) return;
  event.preventDefault();
  if (!target.closest("[aria-expanded=true]")) root?.focus({ preventScroll: true });
}

/** Say each act once, with the way back. */
function announce(state: State, acts: Acts): () => void {
  let said = state.last_action.peek()?.seq;
  return effect(() => {
    const action = state.last_action.value;
    if (!action || action.seq === said) return;
    said = action.seq;
    const undo = state.status.peek().undo === null ? "" : ", undo available";
    acts.notice.value = `${action.text}${undo}`;
  });
}

function Notice({ acts }: { acts: Acts }) {
  return (
    <div class="b-unseen" role="status" aria-live="polite">
      {acts.notice.value}
    </div>
  );
}

function Trouble({ state }: { state: State }) {
  const error = state.error.value;
  if (state.connection.value === "gone") {
    return (
      <div class="b-trouble b-attention" role="alert">
        <p>
          <strong>The kernel is not running.</strong> What was staged is saved. Start the kernel and
          run this cell again.
        </p>
      </div>
    );
  }
  if (error === null) return null;
  const dismiss = () => {
    state.error.value = null;
  };
  return (
    <div class="b-trouble b-error" role="alert">
      <p>
        <strong>{error.message}</strong> {error.hint}
      </p>
      <Button kind="quiet" label="Dismiss" onClick={dismiss}>
        ✕
      </Button>
    </div>
  );
}

/** Stays until the way back is taken: nothing on the screen is the working copy. */
function Viewing({ state, acts }: { state: State; acts: Acts }) {
  const { read_only, viewing, version, branch } = state.status.value;
  if (!read_only) return null;
  return (
    <div class="b-trouble b-attention b-viewing" role="status">
      <p>
        <strong>You are looking at {viewing ?? version}</strong> – read-only.
      </p>
      {viewing === null || state.connection.value === "gone" ? null : (
        <Button onClick={() => void acts.view(null)}>Return to {branch}</Button>
      )}
    </div>
  );
}

function Help({ acts, keys }: { acts: Acts; keys: Keymap }) {
  const close = () => {
    acts.help.value = false;
  };
  return (
    <div class="b-overlay" role="dialog" aria-label="Keys">
      <div class="b-help">
        <div class="b-help-head">
          <strong>Keys</strong>
          <Button kind="quiet" label="Close" onClick={close}>
            ✕
          </Button>
        </div>
        <dl>
          {keys.help.map(([names, meaning]) => (
            <div key={meaning}>
              <dt>
                {names.map((key) => (
                  <Keycap key={key}>{key}</Keycap>
                ))}
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
          {keys.classes ? (
            <div>
              <dt>
                <Keycap>0</Keycap> … <Keycap>9</Keycap>
              </dt>
              <dd>give the class that shows this key</dd>
            </div>
          ) : null}
        </dl>
      </div>
    </div>
  );
}
