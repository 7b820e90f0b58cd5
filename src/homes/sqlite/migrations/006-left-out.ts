/** Records that sides' filters leave out, so that one that stands as it did is not read again. */
export const leftOut = `
CREATE TABLE _lockstep_left_out (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  side TEXT NOT NULL,
  key TEXT NOT NULL,
  digest INTEGER NOT NULL,
  UNIQUE (sync, side, key)
);
CREATE INDEX _lockstep_left_out_in_order ON _lockstep_left_out (sync, side, id, digest);
`;
