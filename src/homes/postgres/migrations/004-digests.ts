/** What tells that a side's record stands as it did without reading it. */
export const digests = `
ALTER TABLE %s._lockstep_sides ADD COLUMN digest bigint;
ALTER TABLE %s._lockstep_sides ADD COLUMN agrees bigint NOT NULL DEFAULT 0;
ALTER TABLE %s._lockstep_staged ADD COLUMN digest bigint;
DROP INDEX %s._lockstep_sides_in_order;
CREATE INDEX _lockstep_sides_in_order ON %s._lockstep_sides (sync, side, id, digest);
CREATE INDEX _lockstep_sides_doubted ON %s._lockstep_sides (sync, side, link) WHERE agrees = 0;
`;
