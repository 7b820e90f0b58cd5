import type { MediaSpec } from "../../model/media.ts";
import { nearMatches } from "../../model/near-match.ts";
import type { StreamSpec } from "../../model/replicate.ts";
import { fieldIndex, projectSchema, type StreamSchema } from "../../model/schema.ts";
import { SyncError } from "../../model/sync-error.ts";
import type { StreamQuery } from "../../ports/connector.ts";
import type { ReplicateContext } from "../context.ts";
import { findStream } from "../find-stream.ts";
import { planStream } from "../replicate/open-stream.ts";

/** A way to list what belongs to records. */
export type ListingWay =
  | { readonly kind: "expanded"; readonly relation: string }
  | {
      readonly kind: "listed";
      readonly query: StreamQuery;
      readonly field: string;
      readonly parentField: string;
    };

/** The configuration of files matched with what the system has. */
export interface MediaPlan {
  readonly parent: StreamSpec;
  /** The records: key, what links them, when their files changed and how many there are. */
  readonly query: StreamQuery;
  /** False: the system cannot tell whose files changed, so that every run looks at all. */
  readonly hasFeed: boolean;
  /** Field with a media row's key. */
  readonly keyField: string;
  readonly ways: readonly ListingWay[];
}

/** In this order they are taken where the configuration names none. */
const CHANGED_BY = ["PhotosChangeTimestamp", "MediaChangeTimestamp"];

/** Throws STREAM_UNKNOWN, FIELD_UNKNOWN, and CONNECTOR_UNSUPPORTED for a system without relations. */
export function planMedia(
  { spec, source }: Pick<ReplicateContext, "spec" | "source">,
  media: MediaSpec,
  discovered: readonly StreamSchema[],
): MediaPlan {
  const parent = findStream(spec, media.stream);
  planStream(spec, parent, discovered);
  const schema = discovered.find(({ name }) => name === media.stream);
  if (schema === undefined || source.children === undefined) {
    throw new SyncError(
      "CONNECTOR_UNSUPPORTED",
      `The source of "${media.stream}" cannot list what belongs to a record, so it has no files.`,
    );
  }
  const changedBy = changedByOf(schema, media);
  const child = discovered.find(({ name }) => name === media.relation);
  const fields = [
    ...(changedBy === undefined ? [] : [changedBy]),
    ...(media.link === undefined ? [] : [media.link.parentField]),
    media.countField,
  ].filter((name) => fieldIndex(schema, name) >= 0);
  const projected = projectSchema(schema, fields);
  return {
    parent,
    query: {
      schema: changedBy === undefined ? projected : { ...projected, modifiedAt: changedBy },
      ...(parent.filter === undefined ? {} : { filter: parent.filter }),
      ...(changedBy === undefined || changedBy === schema.modifiedAt ? {} : { changedBy }),
    },
    hasFeed: changedBy !== undefined,
    keyField: child?.key.length === 1 ? (child.key[0] ?? "MediaKey") : "MediaKey",
    ways: waysOf(media, schema, child),
  };
}

function changedByOf(schema: StreamSchema, media: MediaSpec): string | undefined {
  const { changedBy } = media;
  if (changedBy !== undefined) {
    const field = schema.fields.find(({ name }) => name === changedBy);
    if (field?.type.kind === "timestamp") return changedBy;
    throw unknownField(schema, changedBy, "media.changedBy", field !== undefined);
  }
  const known = CHANGED_BY.find((name) => fieldIndex(schema, name) >= 0);
  return known ?? (schema.traits.changes ? schema.modifiedAt : undefined);
}

function waysOf(
  media: MediaSpec,
  schema: StreamSchema,
  child: StreamSchema | undefined,
): readonly ListingWay[] {
  const expanded: ListingWay = { kind: "expanded", relation: media.relation };
  const { link } = media;
  const isLinked =
    link !== undefined &&
    child !== undefined &&
    fieldIndex(child, link.field) >= 0 &&
    fieldIndex(schema, link.parentField) >= 0;
  const listed: readonly ListingWay[] = isLinked
    ? [{ kind: "listed", query: { schema: child }, ...link }]
    : [];
  if (media.from === "expand") return [expanded, ...listed];
  if (listed.length > 0) return [...listed, expanded];
  if (child === undefined) {
    throw new SyncError(
      "STREAM_UNKNOWN",
      `The system has no stream "${media.relation}", which \`media.from: stream\` asks for.`,
      { hint: "Write `from: expand`, or name the stream with `media.relation`." },
    );
  }
  if (link !== undefined && fieldIndex(child, link.field) < 0) {
    throw unknownField(child, link.field, "media.link.field", false);
  }
  throw unknownField(schema, link?.parentField ?? "", "media.link.parentField", false);
}

function unknownField(
  { name, fields }: StreamSchema,
  field: string,
  setting: string,
  exists: boolean,
): SyncError {
  if (exists) {
    return new SyncError(
      "FIELD_UNKNOWN",
      `Field "${field}" of "${name}", which \`${setting}\` names, is no timestamp.`,
    );
  }
  const near = nearMatches(
    field,
    fields.map((each) => each.name),
  );
  return new SyncError(
    "FIELD_UNKNOWN",
    `Stream "${name}" has no field "${field}", which \`${setting}\` names.`,
    near.length === 0 ? {} : { hint: `Did you mean ${near.join(", ")}?` },
  );
}
