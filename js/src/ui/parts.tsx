import type { ComponentChildren, TargetedEvent } from "preact";
import { useEffect, useMemo } from "preact/hooks";

type Tone = "plain" | "good" | "bad";

export function Keycap({ children }: { children: ComponentChildren }) {
  return <kbd class="b-key">{children}</kbd>;
}

/** A class name, cut where there is no room; the whole of it is the tooltip. */
export function Chip({ name, tone = "plain" }: { name: string | null; tone?: Tone }) {
  if (name === null) return <span class="b-chip b-none">no label</span>;
  return (
    <span class={`b-chip b-${tone}`} title={name}>
      {name}
    </span>
  );
}

interface ButtonProps {
  children: ComponentChildren;
  onClick(): void;
  kind?: "primary" | "plain" | "quiet" | "link";
  keycap?: string | null;
  title?: string | undefined;
  label?: string;
  disabled?: boolean;
  expanded?: boolean;
}

/** Stays focusable when disabled, so that keys typed on it still reach the widget. */
export function Button(props: ButtonProps) {
  const { children, kind = "plain", keycap, title, label, disabled = false, expanded } = props;
  return (
    <button
      type="button"
      class={`b-button b-${kind}`}
      title={title}
      aria-label={label}
      aria-disabled={disabled}
      aria-expanded={expanded}
      onClick={() => {
        if (!disabled) props.onClick();
      }}
    >
      {children}
      {keycap ? <Keycap>{keycap}</Keycap> : null}
    </button>
  );
}

export function Bar({ share, tone }: { share: number; tone: "good" | "warn" | "low" }) {
  const width = `${Math.min(1, Math.max(0, share)) * 100}%`;
  return (
    <span class="b-bar" aria-hidden="true">
      <span class={`b-fill b-${tone}`} style={{ width }} />
    </span>
  );
}

/** An image from bytes; small ones keep their pixels. */
export function Picture({ bytes, alt, size }: { bytes: DataView; alt: string; size: number }) {
  const url = useMemo(() => URL.createObjectURL(new Blob([copy(bytes)])), [bytes]);
  useEffect(() => () => URL.revokeObjectURL(url), [url]);
  const onLoad = ({ currentTarget: image }: TargetedEvent<HTMLImageElement>) => {
    const small = Math.max(image.naturalWidth, image.naturalHeight) * 1.5 < size;
    image.style.imageRendering = small ? "pixelated" : "auto";
  };
  return <img class="b-picture" src={url} alt={alt} onLoad={onLoad} draggable={false} />;
}

function copy(bytes: DataView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="b-empty">
      <p class="b-empty-title">{title}</p>
      {children}
    </div>
  );
}
