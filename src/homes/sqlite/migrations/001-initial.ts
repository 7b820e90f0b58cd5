/** The first home: leases, checkpoints, walks, runs, change log, parked records, halts, audit. */
export const initial = `
CREATE TABLE _lockstep_leases (
  sync TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  fence INTEGER NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE _lockstep_checkpoints (
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  lane TEXT NOT NULL,
  cursor TEXT,
  state TEXT NOT NULL,
  run_id TEXT NOT NULL,
  saved_at INTEGER NOT NULL,
  PRIMARY KEY (sync, stream, lane)
) WITHOUT ROWID;

CREATE TABLE _lockstep_walks (
  id INTEGER PRIMARY KEY,
  walk_id TEXT NOT NULL UNIQUE
);

CREATE TABLE _lockstep_seen (
  walk INTEGER NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (walk, key)
) WITHOUT ROWID;

CREATE TABLE _lockstep_runs (
  id INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  sync TEXT NOT NULL,
  mode TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  outcome TEXT,
  report TEXT
);
CREATE INDEX _lockstep_runs_by_time ON _lockstep_runs (started_at);
CREATE INDEX _lockstep_runs_by_sync ON _lockstep_runs (sync, started_at);

CREATE TABLE _lockstep_stream_runs (
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  mode TEXT NOT NULL,
  run_id TEXT NOT NULL,
  finished_at INTEGER NOT NULL,
  done_at INTEGER,
  report TEXT NOT NULL,
  PRIMARY KEY (sync, stream, mode)
) WITHOUT ROWID;

CREATE TABLE _lockstep_field_lists (
  id INTEGER PRIMARY KEY,
  names TEXT NOT NULL UNIQUE
);

-- What all changes of one commit share; the ids of its changes are first_id to last_id.
CREATE TABLE _lockstep_commits (
  first_id INTEGER PRIMARY KEY,
  last_id INTEGER NOT NULL,
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  run_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  field_list INTEGER NOT NULL
);
CREATE INDEX _lockstep_commits_by_stream ON _lockstep_commits (sync, stream, first_id);
CREATE INDEX _lockstep_commits_by_run ON _lockstep_commits (run_id, first_id);
CREATE INDEX _lockstep_commits_by_time ON _lockstep_commits (at, last_id);

-- Narrow, so that a million changes are walked at once; whole images stand beside it.
CREATE TABLE _lockstep_changes (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  source_time TEXT,
  fields TEXT
);
CREATE INDEX _lockstep_changes_by_key ON _lockstep_changes (key);

CREATE TABLE _lockstep_change_images (
  id INTEGER PRIMARY KEY,
  image TEXT NOT NULL
);

CREATE TABLE _lockstep_fields (
  id INTEGER PRIMARY KEY,
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  name TEXT NOT NULL,
  UNIQUE (name, sync, stream)
);

-- One row for each field of an update; before and after are folded for comparing, not for show.
CREATE TABLE _lockstep_change_fields (
  field INTEGER NOT NULL,
  change_id INTEGER NOT NULL,
  before TEXT,
  after TEXT,
  PRIMARY KEY (field, change_id)
) WITHOUT ROWID;

-- For people with an SQL prompt.
CREATE VIEW _lockstep_log AS
  SELECT x.id, c.sync, c.stream, x.key, x.kind, c.run_id, c.at, x.source_time, x.fields, i.image
  FROM _lockstep_changes AS x
  JOIN _lockstep_commits AS c
    ON c.first_id = (SELECT max(first_id) FROM _lockstep_commits WHERE first_id <= x.id)
  LEFT JOIN _lockstep_change_images AS i ON i.id = x.id;

CREATE TABLE _lockstep_parked (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  identity TEXT NOT NULL,
  key TEXT,
  image TEXT NOT NULL,
  problems TEXT NOT NULL,
  run_id TEXT NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  UNIQUE (sync, stream, identity)
);

CREATE TABLE _lockstep_halts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  stream TEXT NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  details TEXT NOT NULL,
  run_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  released_at INTEGER,
  released_by TEXT,
  closed_at INTEGER
);
CREATE INDEX _lockstep_halts_open ON _lockstep_halts (sync) WHERE closed_at IS NULL;

CREATE TABLE _lockstep_audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  details TEXT NOT NULL
);

CREATE TABLE _lockstep_memory (
  system TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (system, name)
) WITHOUT ROWID;
`;
