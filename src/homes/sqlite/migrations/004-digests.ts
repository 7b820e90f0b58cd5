/** What tells that a side's record stands as it did without reading it. */
export const digests = `
ALTER TABLE _lockstep_sides ADD COLUMN digest INTEGER;
ALTER TABLE _lockstep_sides ADD COLUMN agrees INTEGER NOT NULL DEFAULT 0;
ALTER TABLE _lockstep_staged ADD COLUMN digest INTEGER;
DROP INDEX _lockstep_sides_in_order;
CREATE INDEX _lockstep_sides_in_order ON _lockstep_sides (sync, side, id, digest);
CREATE INDEX _lockstep_sides_doubted ON _lockstep_sides (sync, side, link) WHERE agrees = 0;
`;
