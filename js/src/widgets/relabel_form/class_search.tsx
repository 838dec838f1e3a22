import type { TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ClassInfo, Item } from "../../contract";
import { keycapOf } from "../../session/keymap";
import { useReturnFocus } from "../../ui/focus";
import { Keycap } from "../../ui/parts";

const SHOWN = 60;

interface Props {
  item: Item;
  classes: readonly ClassInfo[];
  onChoose(name: string): void;
  onClose(): void;
}

/** Find a class by name; the likeliest ones stand first. */
export function ClassSearch({ item, classes, onChoose, onClose }: Props) {
  const id = useId();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const options = matching(classes, item, query);
  useReturnFocus(input);
  useEffect(() => input.current?.focus(), []);
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) setAt(Math.min(options.length - 1, Math.max(0, at + move)));
    else if (event.key === "Enter" && options[at]) onChoose(options[at].name);
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
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={options[at] ? `${id}-${at}` : undefined}
        placeholder={`Search ${classes.length} classes`}
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        onBlur={(event) => {
          if (!leftFor(event.relatedTarget, id)) onClose();
        }}
      />
      <Options id={id} options={options} at={at} current={item.preview.label} onChoose={onChoose} />
    </div>
  );
}

function leftFor(target: EventTarget | null, id: string): boolean {
  return target instanceof Element && target.closest(`[id="${id}"]`) !== null;
}

/** Classes whose name has the words of the query, names that start with it first. */
export function matching(
  classes: readonly ClassInfo[],
  item: Item,
  query: string,
): readonly ClassInfo[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const likely = new Map(item.probabilities.map(({ name, probability }) => [name, probability]));
  const rank = ({ name }: ClassInfo) =>
    (words[0] && name.toLowerCase().startsWith(words[0]) ? 2 : 0) + (likely.get(name) ?? 0);
  return classes
    .filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
    .sort((a, b) => rank(b) - rank(a))
    .slice(0, SHOWN);
}

interface OptionsProps {
  id: string;
  options: readonly ClassInfo[];
  at: number;
  current: string | null;
  onChoose(name: string): void;
}

function Options({ id, options, at, current, onChoose }: OptionsProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView?.({ block: "nearest" });
  });
  return (
    <div id={id} ref={list} class="b-options" role="listbox" aria-label="Classes">
      {options.map((info, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the input takes the keys
        // biome-ignore lint/a11y/useFocusableInteractive: the input has the focus
        <div
          key={info.name}
          id={`${id}-${index}`}
          class="b-option"
          role="option"
          aria-selected={index === at}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onChoose(info.name)}
        >
          <span class="b-option-name" title={info.name}>
            {info.name}
          </span>
          {info.name === current ? <span class="b-quiet-word">its label</span> : null}
          <OptionKey info={info} />
          <span class="b-quiet-word">{info.count.toLocaleString("en")}</span>
        </div>
      ))}
      {options.length === 0 ? <p class="b-quiet-word">No class has this name.</p> : null}
    </div>
  );
}

function OptionKey({ info }: { info: ClassInfo }) {
  const keycap = keycapOf(info);
  return keycap === null ? null : <Keycap>{keycap}</Keycap>;
}
