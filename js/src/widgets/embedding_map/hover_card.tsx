import { useLayoutEffect, useRef } from "preact/hooks";
import type { Preview } from "../../contract";
import { Chip, Picture } from "../../ui/parts";
import { score } from "../../ui/words";
import type { Hovered } from "./hover";
import type { MapModel } from "./map_model";

const AWAY = 14;
const EDGE = 8;

export function HoverCard({ map }: { map: MapModel }) {
  const over = map.hover.over.value;
  if (!over?.preview) return null;
  return <Card key={over.row} map={map} over={over} preview={over.preview} />;
}

function Card({ map, over, preview }: { map: MapModel; over: Hovered; preview: Preview }) {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (card.current) place(card.current, map.stage, over);
  }, [map, over]);
  return (
    <div ref={card} class="b-map-card" aria-hidden="true">
      {over.image ? <Picture bytes={over.image} alt="" size={56} /> : null}
      <div class="b-map-facts">
        <strong>{preview.key}</strong>
        <Labels preview={preview} />
        {preview.text ? <p>{preview.text}</p> : null}
      </div>
    </div>
  );
}

function Labels({ preview: { label, suggestion, probability, dropped } }: { preview: Preview }) {
  const doubtful = suggestion !== null && suggestion !== label;
  return (
    <>
      <span>
        label <Chip name={label} tone={doubtful ? "bad" : "plain"} />
        {dropped ? " dropped" : null}
      </span>
      {suggestion === null ? null : (
        <span>
          model <Chip name={suggestion} tone="good" />{" "}
          {probability === null ? null : score(probability)}
        </span>
      )}
    </>
  );
}

/** Beside the pointer, on the side with room. */
function place(card: HTMLElement, stage: HTMLElement, { at: [x, y] }: Hovered): void {
  const { offsetWidth: width, offsetHeight: height } = card;
  const left = x + AWAY + width + EDGE > stage.clientWidth ? x - AWAY - width : x + AWAY;
  const top = y + AWAY + height + EDGE > stage.clientHeight ? y - AWAY - height : y + AWAY;
  card.style.left = `${Math.max(EDGE, left)}px`;
  card.style.top = `${Math.max(EDGE, top)}px`;
}
