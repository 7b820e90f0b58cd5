/**
 * What is agreed on a record and what each side said, which change together, stand side by side: a
 * row for each side, and one without a side for the record itself. Its key, which must be unique, is
 * its link; `field_values` are what is agreed, or what the side said. An operation's time changes
 * when it ends, and is no part of what finds it by its record.
 *
 * Indexes are dropped one by one: to drop them with their table, SQLite takes a temporary file even
 * for an empty one, and not every machine has a place for it.
 */
export const sideBySide = `
CREATE TABLE _lockstep_agreements (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  link INTEGER NOT NULL,
  side TEXT NOT NULL,
  key TEXT NOT NULL,
  hash TEXT NOT NULL,
  field_values TEXT NOT NULL,
  version TEXT,
  digest INTEGER,
  agrees INTEGER NOT NULL,
  name TEXT,
  behind INTEGER
);
INSERT INTO _lockstep_agreements
    (sync, link, side, key, hash, field_values, version, digest, agrees, name, behind)
SELECT sync, link, '' AS side, CAST(link AS text), '', agreed, NULL, NULL, 1, name, behind
  FROM _lockstep_links
UNION ALL SELECT sync, link, side, key, hash, acknowledged, version, digest, agrees, NULL, NULL
  FROM _lockstep_sides ORDER BY 1, 2, 3;
DROP INDEX _lockstep_links_by_name;
DROP INDEX _lockstep_links_behind;
DROP INDEX _lockstep_sides_by_link;
DROP INDEX _lockstep_sides_in_order;
DROP INDEX _lockstep_sides_doubted;
DROP TABLE _lockstep_links;
DROP TABLE _lockstep_sides;
CREATE UNIQUE INDEX _lockstep_agreements_by_link ON _lockstep_agreements (sync, link, side);
CREATE UNIQUE INDEX _lockstep_agreements_by_key ON _lockstep_agreements (sync, side, key);
CREATE INDEX _lockstep_agreements_in_order ON _lockstep_agreements (sync, side, id, digest);
CREATE INDEX _lockstep_agreements_by_name ON _lockstep_agreements (sync, name)
  WHERE name IS NOT NULL;
CREATE INDEX _lockstep_agreements_behind ON _lockstep_agreements (sync, link)
  WHERE behind = 1;
CREATE INDEX _lockstep_agreements_doubted ON _lockstep_agreements (sync, side, link)
  WHERE agrees = 0;
DROP INDEX _lockstep_operations_by_link;
CREATE INDEX _lockstep_operations_by_link ON _lockstep_operations (sync, link);
`;
