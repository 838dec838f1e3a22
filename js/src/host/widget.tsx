import type { ReadonlySignal } from "@preact/signals";
import { type FunctionComponent, render } from "preact";
import { type Keymap, REVIEW } from "../session/keymap";
import { type Actions, connect, type State } from "../session/state";
import { Frame } from "../ui/frame";
import { injectStyles } from "../ui/styles";
import { watchDark } from "../ui/theme";
import type { Host } from "../wire/host";
import { type Model, modelHost } from "./anywidget";

export interface ViewProps {
  state: State;
  actions: Actions;
}

export interface Look {
  name: string;
  label: string;
  view: FunctionComponent<ViewProps>;
  commit?: boolean;
  keys?: Keymap;
}

interface RenderContext {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

/** What anywidget imports: one view of a model each time it is displayed. */
export function widget(look: Look): { render(context: RenderContext): () => void } {
  return {
    render({ model, el, signal }) {
      const controller = new AbortController();
      const stop = () => controller.abort();
      signal?.addEventListener("abort", stop, { once: true, signal: controller.signal });
      mount(look, modelHost(model, el), el, controller.signal);
      return stop;
    },
  };
}

/** Show a view on a host until the signal aborts. */
export function mount(look: Look, host: Host, el: HTMLElement, signal: AbortSignal): void {
  const { state, actions } = connect(host, signal);
  const dark = watchDark(signal);
  injectStyles(el, signal);
  render(<Root look={look} state={state} actions={actions} dark={dark} />, el);
  signal.addEventListener("abort", () => render(null, el), { once: true });
}

interface RootProps extends ViewProps {
  look: Look;
  dark: ReadonlySignal<boolean>;
}

function Root({ look, state, actions, dark }: RootProps) {
  const View = look.view;
  const frame = { name: look.name, label: look.label, commit: look.commit ?? false };
  const keys = look.keys ?? REVIEW;
  return (
    <Frame {...frame} keys={keys} state={state} actions={actions} dark={dark.value}>
      <View state={state} actions={actions} />
    </Frame>
  );
}
