import { useEffect, useState } from "preact/hooks";
import type { Action } from "../contract";
import type { Acts } from "../session/acts";
import type { State } from "../session/state";
import { copyText } from "./clipboard";
import { Button } from "./parts";

const SAID_FOR = 1600;

/** The last act as the Python that does the same. */
export function Footer({ state, acts }: { state: State; acts: Acts }) {
  const action = state.last_action.value;
  const [said, say] = useState("");
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => say(""), SAID_FOR);
    return () => clearTimeout(timer);
  }, [said]);
  if (action === null) {
    return (
      <footer class="b-footer">
        <span class="b-footer-word">Every act will stand here as Python.</span>
      </footer>
    );
  }
  const copyAll = async () => {
    const script = await acts.script();
    if (script) say(await copied(script.code, `Copied all ${script.acts}`));
  };
  return (
    <footer class="b-footer">
      <span class="b-footer-word">last action</span>
      <Code action={action} />
      <span class="b-said" role="status">
        {said}
      </span>
      <Button kind="link" onClick={async () => say(await copied(action.code, "Copied"))}>
        Copy
      </Button>
      <Button kind="link" onClick={() => void copyAll()}>
        Copy all {action.seq}
      </Button>
    </footer>
  );
}

async function copied(text: string, words: string): Promise<string> {
  return (await copyText(text)) ? words : "The browser did not allow it";
}

/** The called name stands out. */
function Code({ action }: { action: Action }) {
  const [, before, name, after] = /^(\w+\.)(\w+)([\s\S]*)$/.exec(action.code) ?? [];
  return (
    <code class="b-code" title={`${action.text}\n${action.code}`}>
      {name ? (
        <>
          {before}
          <span class="b-call">{name}</span>
          {after}
        </>
      ) : (
        action.code
      )}
    </code>
  );
}
