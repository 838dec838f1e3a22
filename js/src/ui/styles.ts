import base from "./base.css";
import frame from "./frame.css";
import tokens from "./tokens.css";

const SHEETS = [tokens, base, frame];

/** Make a sheet part of what every root of this bundle gets; called once by the view it is for. */
export function addStyles(text: string): void {
  if (!SHEETS.includes(text)) SHEETS.push(text);
}

/** Put the sheets into the root that holds the element, once for each root. */
export function injectStyles(element: Element, stop: AbortSignal): void {
  const text = SHEETS.join("\n");
  if (insideShadow(element, text)) return;
  inject(document.head, text);
  if (element.isConnected) return;
  const observer = new ResizeObserver(() => {
    if (element.isConnected) observer.disconnect();
    insideShadow(element, text);
  });
  observer.observe(element);
  stop.addEventListener("abort", () => observer.disconnect(), { once: true });
}

function insideShadow(element: Element, text: string): boolean {
  const root = element.getRootNode();
  if (!(root instanceof ShadowRoot)) return false;
  inject(root, text);
  return true;
}

function inject(parent: HTMLElement | ShadowRoot, text: string): void {
  const present = [...parent.querySelectorAll("style[data-burnish]")];
  if (present.some((style) => style.textContent === text)) return;
  const style = document.createElement("style");
  style.dataset["burnish"] = "";
  style.textContent = text;
  parent.append(style);
}
