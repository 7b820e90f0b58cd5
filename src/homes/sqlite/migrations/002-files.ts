/** Which files of records are held. */
export const files = `
CREATE TABLE _lockstep_files (
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  parent TEXT NOT NULL,
  media TEXT NOT NULL,
  url TEXT NOT NULL,
  changed_at TEXT,
  position INTEGER,
  content_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  hash TEXT NOT NULL,
  path TEXT NOT NULL,
  fetched_at INTEGER NOT NULL,
  PRIMARY KEY (sync, stream, parent, media)
) WITHOUT ROWID;
`;
