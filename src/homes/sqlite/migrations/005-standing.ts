/** The name of a record that was let go and left standing, by which it may be met again. */
export const standing = `
ALTER TABLE _lockstep_buried ADD COLUMN name TEXT;
CREATE INDEX _lockstep_buried_standing ON _lockstep_buried (sync, side, name)
  WHERE name IS NOT NULL;
`;
