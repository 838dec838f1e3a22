import type { Item } from "../../contract";
import type { Loaded } from "../../session/items";
import { Picture } from "../../ui/parts";

/** What the row is: its picture, its whole text, or its fields. */
export function Subject({ loaded }: { loaded: Loaded }) {
  const { item, image } = loaded;
  if (image) {
    return (
      <div class="b-subject b-subject-image">
        <Picture bytes={image} alt={item.preview.key} size={180} />
      </div>
    );
  }
  if (item.text !== null) return <Text key={item.preview.row} text={item.text} />;
  return <Fields item={item} />;
}

function Text({ text }: { text: string }) {
  return (
    <div class="b-subject b-subject-text" data-scrolls="" tabIndex={0} role="document">
      {text || <em class="b-none">empty text</em>}
    </div>
  );
}

function Fields({ item }: { item: Item }) {
  return (
    <div class="b-subject b-subject-fields" data-scrolls="" tabIndex={0} role="document">
      <dl>
        {item.fields.map(({ name, value }) => (
          <div key={name}>
            <dt title={name}>{name}</dt>
            <dd title={value}>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
