import type { Projection } from "../../contract";
import { Empty } from "../../ui/parts";
import { count } from "../../ui/words";
import type { MapModel } from "./map_model";

const NAMES: Record<string, string> = { pca: "PCA", umap: "UMAP", given: "given embedding" };

function named(name: string): string {
  return NAMES[name] ?? name;
}

export function Notes({ map }: { map: MapModel }) {
  const projection = map.state.projection.value;
  return (
    <div class="b-map-notes">
      <Progress projection={projection} />
      {projection.missing > 0 ? (
        <span>{count(projection.missing, "row")} without coordinates</span>
      ) : null}
    </div>
  );
}

function Progress({ projection: { progress, progress_name, name } }: { projection: Projection }) {
  if (progress === null) return null;
  const percent = Math.round(progress * 100);
  return (
    <span class="b-map-progress" title={`Shown now: ${named(name)}`}>
      {named(progress_name ?? "projection")} {percent} %
      <progress max={100} value={percent} aria-label="Progress of the projection" />
    </span>
  );
}

/** In place of a picture with nothing on it. */
export function Nothing({ map }: { map: MapModel }) {
  const { n_rows, status, projection } = map.state;
  if (map.shownCount.value > 0) return null;
  return (
    <div class="b-map-nothing">{reason(n_rows.value, status.value.dropped, projection.value)}</div>
  );
}

function reason(rows: number, dropped: number, { missing, progress }: Projection) {
  if (rows === 0) {
    return (
      <Empty title="No rows">
        <p>The dataset is empty.</p>
      </Empty>
    );
  }
  if (progress !== null) return <Empty title="Looking for a picture of the rows…" />;
  if (dropped >= rows) {
    return (
      <Empty title="Every row is dropped">
        <p>Undo, or restore rows with ds.restore(keys).</p>
      </Empty>
    );
  }
  return (
    <Empty title={missing > 0 ? "No row has coordinates" : "Nothing to draw"}>
      <p>
        Pass an embedding: <code>bn.create(…, embedding="column")</code> for a column with one
        vector a row.
      </p>
    </Empty>
  );
}
