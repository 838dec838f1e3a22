import type { ClassInfo, Item } from "../../contract";
import type { Acts } from "../../session/acts";
import { keycapOf } from "../../session/keymap";
import { ClassSearch } from "../../ui/class_search";
import { Button, Keycap } from "../../ui/parts";

const MOST_BUTTONS = 12;

interface Props {
  item: Item;
  classes: readonly ClassInfo[];
  acts: Acts;
}

/** Every class: as buttons while they are few, else as a search. */
export function ClassPicker({ item, classes, acts }: Props) {
  const open = acts.class_search.value;
  const few = classes.length <= MOST_BUTTONS;
  const close = () => {
    acts.class_search.value = false;
  };
  const choose = (name: string) => {
    close();
    void acts.relabel(name);
  };
  return (
    <div class={`b-picker${open ? " b-open" : ""}`}>
      {few && !open ? (
        <ClassButtons current={item.preview.label} classes={classes} onChoose={choose} />
      ) : null}
      {!few && !open ? (
        <Button keycap="c" onClick={() => void acts.run({ name: "search_class" })}>
          Choose among {classes.length} classes…
        </Button>
      ) : null}
      {open ? (
        <ClassSearch
          classes={classes}
          likely={new Map(item.probabilities.map((found) => [found.name, found.probability]))}
          after={({ info }) => <Beside info={info} current={item.preview.label} />}
          onChoose={choose}
          onClose={close}
        />
      ) : null}
    </div>
  );
}

interface ButtonsProps {
  current: string | null;
  classes: readonly ClassInfo[];
  onChoose(name: string): void;
}

function ClassButtons({ current, classes, onChoose }: ButtonsProps) {
  return (
    <div class="b-classes" role="group" aria-label="Relabel to">
      {classes.map((info) => (
        <button
          key={info.name}
          type="button"
          class="b-class"
          aria-pressed={info.name === current}
          title={
            info.name === current ? `${info.name}: the label it has` : `Relabel to ${info.name}`
          }
          onClick={() => onChoose(info.name)}
        >
          <ClassName info={info} />
        </button>
      ))}
    </div>
  );
}

/** A class that is its own key is shown once. */
function ClassName({ info }: { info: ClassInfo }) {
  const keycap = keycapOf(info);
  if (keycap === info.name) return <Keycap>{keycap}</Keycap>;
  return (
    <>
      {keycap === null ? null : <Keycap>{keycap}</Keycap>}
      <span class="b-class-name">{info.name}</span>
    </>
  );
}

/** What stands beside a class that is searched for. */
function Beside({ info, current }: { info: ClassInfo; current: string | null }) {
  const keycap = keycapOf(info);
  return (
    <>
      {info.name === current ? <span class="b-quiet-word">its label</span> : null}
      {keycap === null ? null : <Keycap>{keycap}</Keycap>}
    </>
  );
}
