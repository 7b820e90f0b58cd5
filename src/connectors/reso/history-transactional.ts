import type { EntitySet, Property } from "../odata/metadata-model.ts";

const field = (name: string, edm: string): Property => ({
  name,
  type: { kind: "primitive", edm },
  isCollection: false,
  isNullable: true,
  isOrdered: false,
});

const TEXTS = [
  "HistoryTransactionalKey",
  "ResourceName",
  "ResourceRecordKey",
  "FieldName",
  "PreviousValue",
  "NewValue",
  "ChangeType",
  "ChangedByMemberKey",
] as const;

/**
 * The server's own history of fields, by its names in the Data Dictionary 2.0. Servers that grant
 * it may leave it out of `$metadata`; it is then a stream once it is named under `streams`.
 */
export const HISTORY_TRANSACTIONAL: EntitySet = {
  name: "HistoryTransactional",
  type: {
    name: "HistoryTransactional",
    key: ["HistoryTransactionalKey"],
    navigations: [],
    properties: [
      ...TEXTS.map((name) => field(name, "String")),
      field("ModificationTimestamp", "DateTimeOffset"),
      field("EntityEventSequence", "Int64"),
    ],
  },
};
