import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ClassInfo } from "../../contract";
import { classColor } from "../../ui/palette";

const SHOWN = 100;

interface Props {
  classes: readonly ClassInfo[];
  dark: boolean;
  onChoose(name: string): void;
  onClose(): void;
}

/** A searchable list of classes that opens upwards from the bulk bar. */
export function ClassMenu({ classes, dark, onChoose, onClose }: Props) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const found = matching(classes, query);
  useEffect(() => input.current?.focus(), []);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = found[at];
    if (move) setAt(Math.min(found.length - 1, Math.max(0, at + move)));
    else if (event.key === "Enter" && chosen) onChoose(chosen.name);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="b-map-menu" role="dialog" aria-label="Choose a class">
      <input
        ref={input}
        class="b-input"
        role="combobox"
        aria-label="Search classes"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found[at] ? `${id}-${at}` : undefined}
        placeholder={`Search ${classes.length} classes`}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        onBlur={onClose}
      />
      <div id={id} class="b-map-options" role="listbox" aria-label="Classes" data-scrolls>
        {found.map(({ entry, code }, index) => (
          <Option
            key={code}
            id={`${id}-${index}`}
            entry={entry}
            color={classColor(code, dark)}
            active={index === at}
            onChoose={onChoose}
          />
        ))}
        {found.length === 0 ? <p class="b-map-quiet">No class has this name.</p> : null}
      </div>
    </div>
  );
}

interface Found {
  readonly entry: ClassInfo;
  readonly code: number;
  readonly name: string;
}

/** Classes whose name holds the query, names that start with it first. */
export function matching(classes: readonly ClassInfo[], query: string): readonly Found[] {
  const text = query.trim().toLowerCase();
  const starts = ({ name }: Found) => (name.toLowerCase().startsWith(text) ? 0 : 1);
  return classes
    .map((entry, code) => ({ entry, code, name: entry.name }))
    .filter(({ name }) => name.toLowerCase().includes(text))
    .sort((a, b) => starts(a) - starts(b))
    .slice(0, SHOWN);
}

interface OptionProps {
  id: string;
  entry: ClassInfo;
  color: string;
  active: boolean;
  onChoose(name: string): void;
}

function Option({ id, entry, color, active, onChoose }: OptionProps) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active) line.current?.scrollIntoView?.({ block: "nearest" });
  }, [active]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the input takes the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the input has the focus
    <div
      ref={line}
      id={id}
      class="b-map-option"
      role="option"
      aria-selected={active}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onChoose(entry.name)}
    >
      <span class="b-map-dot" style={{ background: color }} />
      <span class="b-map-name" title={entry.name}>
        {entry.name}
      </span>
      <span class="b-map-count">{entry.count.toLocaleString("en")}</span>
    </div>
  );
}
