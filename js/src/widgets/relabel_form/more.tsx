import { useState } from "preact/hooks";
import type { Item } from "../../contract";
import type { Acts } from "../../session/acts";
import type { State } from "../../session/state";
import { CommitPopover } from "../../ui/commit";
import { Button, Keycap } from "../../ui/parts";
import { Popover } from "../../ui/popover";

interface Props {
  item: Item;
  state: State;
  acts: Acts;
  blocked: boolean;
}

/** What is needed less often. */
export function More({ item, state, acts, blocked }: Props) {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const choose = (act: () => void) => () => {
    close();
    act();
  };
  const { dropped } = item.preview;
  return (
    <span class="b-more b-anchor">
      <Button kind="quiet" label="More" expanded={open} onClick={() => setOpen(!open)}>
        …
      </Button>
      {open ? (
        <Popover role="menu" label="More" class="b-menu b-above" onClose={close}>
          <MenuItem
            disabled={blocked}
            keycap="d"
            onChoose={choose(() => void acts.toggleDropped())}
          >
            {dropped ? "Restore this row" : "Drop this row"}
          </MenuItem>
          <MenuItem disabled={blocked} onChoose={choose(() => void acts.mark("hard"))}>
            Mark as hard
          </MenuItem>
          <MenuItem
            disabled={blocked}
            onChoose={choose(() => {
              acts.commit_open.value = "form";
            })}
          >
            Commit…
          </MenuItem>
        </Popover>
      ) : null}
      {acts.commit_open.value === "form" && !state.status.value.read_only ? (
        <CommitPopover state={state} acts={acts} class="b-above" />
      ) : null}
    </span>
  );
}

interface MenuItemProps {
  children: string;
  keycap?: string;
  disabled: boolean;
  onChoose(): void;
}

function MenuItem({ children, keycap, disabled, onChoose }: MenuItemProps) {
  return (
    <button
      type="button"
      role="menuitem"
      class="b-menu-item"
      aria-disabled={disabled}
      onClick={() => {
        if (!disabled) onChoose();
      }}
    >
      <span>{children}</span>
      {keycap ? <Keycap>{keycap}</Keycap> : null}
    </button>
  );
}
