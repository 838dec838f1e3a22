import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { countBits, hasBit } from "../../points/bits";
import { type Center, classCenters } from "../../points/centers";
import { Picture, type Size } from "../../points/picture";
import { toData, type Viewport } from "../../points/viewport";
import { type Acts, actsOf } from "../../session/acts";
import type { Actions, State } from "../../session/state";
import { watchDark } from "../../ui/theme";
import { count } from "../../ui/words";
import { Bulk } from "./bulk";
import { type Filter, paletteOf, passes, ringColor } from "./colors";
import { type Pixel, Pointer } from "./gestures";
import { Hover } from "./hover";
import { Overlay, type OverlayColors } from "./overlay";
import { Selecting } from "./selecting";

const MOST_NAMES = 30;
const STRETCH = 1.4;
const LATER = 120;

/** One map on the page: follows the state, draws it, and turns gestures into requests. */
export class MapModel {
  readonly acts: Acts;
  readonly picture: Picture;
  readonly pointer: Pointer;
  readonly hover: Hover;
  readonly selecting: Selecting;
  readonly bulk: Bulk;
  readonly dark: ReadonlySignal<boolean>;
  readonly filter = signal<Filter>(new Set());
  readonly flaggedOnly = signal(false);
  readonly flaggedCount: ReadonlySignal<number>;
  readonly shownCount: ReadonlySignal<number>;
  private readonly overlay = new Overlay();
  private readonly trace = signal<readonly Pixel[]>([]);
  private readonly centers = signal<readonly Center[]>([]);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private drawing = 0;

  constructor(
    readonly state: State,
    actions: Actions,
    readonly stage: HTMLElement,
    readonly stop: AbortSignal,
  ) {
    this.acts = actsOf(state, actions);
    this.dark = watchDark(stop);
    this.picture = new Picture(stop);
    this.hover = new Hover(actions, stop);
    this.selecting = new Selecting(state, actions, stop);
    this.bulk = new Bulk(state, actions, this.selecting, stop);
    this.flaggedCount = computed(() => countBits(state.flagged.value));
    this.shownCount = computed(() => this.rows - countBits(state.hidden.value));
    this.pointer = new Pointer(this.overlay.canvas, this.picture, this.gestures(), stop);
    stage.replaceChildren(this.picture.canvas, this.overlay.canvas);
    this.followState();
    this.followSize();
    stop.addEventListener("abort", () => this.dispose(), { once: true });
  }

  private get rows(): number {
    return this.state.points.value.length >> 1;
  }

  private gestures() {
    return {
      onSelect: (corners: readonly Pixel[], mode: "lasso" | "box") => this.select(corners, mode),
      onClick: (at: Pixel) => this.click(at),
      onHover: (at: Pixel | null) => this.hoverAt(at),
      onReset: () => this.picture.reset(),
    };
  }

  private follow(task: () => void): void {
    this.stop.addEventListener("abort", effect(task), { once: true });
  }

  private followState(): void {
    const { state, picture } = this;
    const calm = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");
    this.follow(() => {
      picture.reducedMotion = calm?.matches ?? false;
      picture.stretch = state.projection.value.name === "given" ? 1 : STRETCH;
      picture.setPoints(state.points.value);
      picture.setCodes(state.codes.value, state.changed_rows.value, state.changed_codes.value);
    });
    this.follow(() => picture.setHidden(state.hidden.value));
    this.follow(() => picture.setFlagged(state.flagged.value));
    this.follow(() => picture.setSelected(this.selecting.shown.value));
    this.follow(() => this.followColors());
    this.follow(() => this.followNames());
    this.follow(() => this.followOverlay());
    this.follow(() => {
      if (this.selecting.count.value === 0) this.trace.value = [];
    });
  }

  private followColors(): void {
    const { picture } = this;
    const dark = this.dark.value;
    picture.ringColor = ringColor(dark);
    picture.onlyFlagged = this.flaggedOnly.value;
    picture.setPalette(paletteOf(this.state.classes.value.length, this.filter.value, dark));
  }

  private followNames(): void {
    const { points, codes, changed_rows, changed_codes, hidden, classes } = this.state;
    const sources = [points, codes, changed_rows, changed_codes, hidden, classes];
    for (const source of sources) source.value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.findNames(), LATER);
  }

  private findNames(): void {
    const { scene } = this.picture;
    const classes = this.state.classes.peek().length;
    const hidden = this.state.hidden.peek();
    const found =
      classes > MOST_NAMES
        ? []
        : classCenters(scene.xy, scene.codes, classes, (row) => !hasBit(hidden, row));
    this.centers.value = found.sort((a, b) => b.rows - a.rows);
  }

  private followOverlay(): void {
    const { pointer, trace, centers, state, hover, filter, dark } = this;
    const sources = [pointer.path, trace, centers, state.current, hover.over, filter, dark];
    for (const source of sources) source.value;
    this.redraw();
  }

  private redraw(): void {
    if (this.drawing !== 0) return;
    this.drawing = requestAnimationFrame(() =>
      this.drawOverlay(this.picture.view, this.picture.size),
    );
  }

  private drawOverlay(view: Viewport, size: Size): void {
    cancelAnimationFrame(this.drawing);
    this.drawing = 0;
    if (size.width === 0) return;
    const over = this.hover.over.peek();
    const content = {
      names: this.names(),
      path: this.pointer.path.peek(),
      trace: this.trace.peek(),
      current: this.placeOf(this.state.current.peek()),
      hovered: over ? this.placeOf(over.row) : null,
      radius: this.picture.pointSize / 2,
    };
    this.overlay.draw(view, size, content, colorsOf(this.stage));
  }

  private names() {
    const classes = this.state.classes.peek();
    const filter = this.filter.peek();
    return this.centers
      .peek()
      .filter(({ code }) => passes(filter, code))
      .map((center) => ({ center, name: classes[center.code]?.name ?? "" }));
  }

  private placeOf(row: number): Pixel | null {
    const { xy } = this.picture.scene;
    if (row < 0 || row * 2 + 1 >= xy.length || hasBit(this.state.hidden.peek(), row)) return null;
    return [(xy[2 * row] as number) / 65535, (xy[2 * row + 1] as number) / 65535];
  }

  private followSize(): void {
    this.picture.onFrame = (view, size) => this.drawOverlay(view, size);
    const observer = new ResizeObserver(() => this.measure());
    observer.observe(this.stage);
    this.stop.addEventListener("abort", () => observer.disconnect(), { once: true });
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.stage;
    this.picture.resize({ width, height });
  }

  private select(corners: readonly Pixel[], mode: "lasso" | "box"): void {
    const bitmap = this.picture.rowsInside(corners);
    const rows = countBits(bitmap);
    const { view } = this.picture;
    this.trace.value = corners.map(([x, y]) => toData(view, x, y));
    this.acts.notice.value = rows === 0 ? "No rows selected" : `${count(rows, "row")} selected`;
    if (rows > 0) void this.selecting.choose(bitmap, mode);
    else this.clear();
  }

  clear(): boolean {
    this.trace.value = [];
    if (this.selecting.count.peek() === 0) return false;
    void this.selecting.clear();
    this.acts.notice.value = "Selection cleared";
    return true;
  }

  private click(at: Pixel): void {
    const row = this.picture.rowAt(...at);
    if (row >= 0) void this.acts.focus(row);
  }

  private hoverAt(at: Pixel | null): void {
    const row = at === null ? -1 : this.picture.rowAt(...at);
    this.overlay.canvas.style.cursor = row >= 0 ? "pointer" : "";
    this.hover.at(row, at ?? [0, 0]);
  }

  private dispose(): void {
    clearTimeout(this.timer);
    cancelAnimationFrame(this.drawing);
    this.stage.replaceChildren();
  }
}

function colorsOf(stage: HTMLElement): OverlayColors {
  const style = getComputedStyle(stage);
  const value = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: value("--b-fg"),
    halo: value("--b-bg"),
    accent: value("--b-accent"),
    tint: value("--b-map-tint"),
    font: `600 13px ${style.fontFamily}`,
  };
}
