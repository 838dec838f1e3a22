import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

const QUERY = "(prefers-color-scheme: dark)";

/** Whether the page is dark, followed until the signal aborts. */
export function watchDark(stop: AbortSignal): ReadonlySignal<boolean> {
  const query = globalThis.matchMedia?.(QUERY);
  const dark = signal(isDark(query));
  const update = () => {
    dark.value = isDark(query);
  };
  query?.addEventListener("change", update, { signal: stop });
  const observer = new MutationObserver(update);
  const attributes = ["data-jp-theme-light", "class", "data-theme"];
  observer.observe(document.body, { attributes: true, attributeFilter: attributes });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: attributes });
  stop.addEventListener("abort", () => observer.disconnect(), { once: true });
  return dark;
}

/** JupyterLab says it on the body, VS Code and marimo with a class; elsewhere the system decides. */
function isDark(query: MediaQueryList | undefined): boolean {
  const { body, documentElement: html } = document;
  const lab = body.dataset["jpThemeLight"];
  if (lab !== undefined) return lab === "false";
  for (const element of [body, html]) {
    if (element.matches(".vscode-dark, .dark, .dark-theme, [data-theme=dark]")) return true;
    if (element.matches(".vscode-light, .light, .light-theme, [data-theme=light]")) return false;
  }
  return query?.matches ?? false;
}

/** Whether the page is dark, as a part of a view sees it. */
export function useDark(): boolean {
  const [dark, set] = useState(() => isDark(globalThis.matchMedia?.(QUERY)));
  useEffect(() => {
    const lifetime = new AbortController();
    const watched = watchDark(lifetime.signal);
    const stop = watched.subscribe(set);
    return () => {
      stop();
      lifetime.abort();
    };
  }, []);
  return dark;
}
