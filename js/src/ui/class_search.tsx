import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ClassInfo } from "../contract";
import { useReturnFocus } from "./focus";
import { count } from "./words";

const SHOWN = 100;
const NONE: ReadonlyMap<string, number> = new Map();

export interface Choice {
  readonly code: number;
  readonly info: ClassInfo;
}

interface Props {
  classes: readonly ClassInfo[];
  /** Probability of a class by name: the likeliest stand first. */
  likely?: ReadonlyMap<string, number>;
  before?(choice: Choice): ComponentChildren;
  after?(choice: Choice): ComponentChildren;
  onChoose(name: string): void;
  onClose(): void;
}

/** Find a class by its name. */
export function ClassSearch({ classes, likely = NONE, before, after, onChoose, onClose }: Props) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const choices = matching(classes, query, likely);
  useReturnFocus(input);
  useEffect(() => input.current?.focus(), []);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = choices[at];
    if (move) setAt(Math.min(choices.length - 1, Math.max(0, at + move)));
    else if (event.key === "Enter" && chosen) onChoose(chosen.info.name);
    else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="b-search" role="dialog" aria-label="Choose a class">
      <input
        ref={input}
        class="b-input"
        role="combobox"
        aria-label="Search classes"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={choices[at] ? `${id}-${at}` : undefined}
        placeholder={`Search ${count(classes.length, "class", "classes")}`}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        onBlur={(event) => {
          if (!inside(event.relatedTarget, id)) onClose();
        }}
      />
      <div id={id} class="b-options" role="listbox" aria-label="Classes" data-scrolls="">
        {choices.map((choice, index) => (
          <Option
            key={choice.code}
            id={`${id}-${index}`}
            choice={choice}
            active={index === at}
            onChoose={onChoose}
          >
            {before?.(choice)}
            <span class="b-option-name" title={choice.info.name}>
              {choice.info.name}
            </span>
            {after?.(choice)}
            <span class="b-quiet-word">{choice.info.count.toLocaleString("en")}</span>
          </Option>
        ))}
        {choices.length === 0 ? <p class="b-quiet-word">No class has this name.</p> : null}
      </div>
    </div>
  );
}

function inside(target: EventTarget | null, id: string): boolean {
  return target instanceof Element && target.closest(`[id="${id}"]`) !== null;
}

/** Classes whose name has the words of the query, names that start with it first. */
export function matching(
  classes: readonly ClassInfo[],
  query: string,
  likely: ReadonlyMap<string, number> = NONE,
): readonly Choice[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = ({ info: { name } }: Choice) =>
    (words[0] && name.toLowerCase().startsWith(words[0]) ? 2 : 0) + (likely.get(name) ?? 0);
  return classes
    .map((info, code) => ({ info, code }))
    .filter(({ info }) => words.every((word) => info.name.toLowerCase().includes(word)))
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, SHOWN);
}

interface OptionProps {
  id: string;
  choice: Choice;
  active: boolean;
  onChoose(name: string): void;
  children: ComponentChildren;
}

function Option({ id, choice, active, onChoose, children }: OptionProps) {
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
      class="b-option"
      role="option"
      aria-selected={active}
      onMouseDown={(event) => event.preventDefault()}
      onClick={() => onChoose(choice.info.name)}
    >
      {children}
    </div>
  );
}
