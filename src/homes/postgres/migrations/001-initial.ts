/**
 * The first home: leases, checkpoints, walks, runs, change log, parked records, halts, audit.
 * `%s` is the schema, quoted. Times are epoch milliseconds. Ids come from `_lockstep_counters`, not
 * from sequences, so that a copy of the tables is a home as well.
 */
export const initial = `
CREATE TABLE %s._lockstep_counters (
  name text COLLATE "C" PRIMARY KEY,
  value bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE %s._lockstep_leases (
  sync text COLLATE "C" PRIMARY KEY,
  owner text NOT NULL,
  fence bigint NOT NULL,
  until bigint NOT NULL
) WITH (fillfactor = 50);

-- The name of each stream's last commit, so that none is made twice.
CREATE TABLE %s._lockstep_last_commits (
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  commit_id text NOT NULL,
  PRIMARY KEY (sync, stream)
) WITH (fillfactor = 50);

CREATE TABLE %s._lockstep_checkpoints (
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  lane text COLLATE "C" NOT NULL,
  cursor text,
  state text NOT NULL,
  run_id text NOT NULL,
  saved_at bigint NOT NULL,
  PRIMARY KEY (sync, stream, lane)
) WITH (fillfactor = 50);

CREATE TABLE %s._lockstep_walks (
  id bigint PRIMARY KEY,
  walk_id text COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE %s._lockstep_seen (
  walk bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  PRIMARY KEY (walk, key)
);

CREATE TABLE %s._lockstep_runs (
  id bigint PRIMARY KEY,
  run_id text COLLATE "C" NOT NULL UNIQUE,
  sync text COLLATE "C" NOT NULL,
  mode text NOT NULL,
  started_at bigint NOT NULL,
  finished_at bigint,
  outcome text,
  report text
);
CREATE INDEX _lockstep_runs_by_time ON %s._lockstep_runs (started_at, id);
CREATE INDEX _lockstep_runs_by_sync ON %s._lockstep_runs (sync, started_at, id);

CREATE TABLE %s._lockstep_stream_runs (
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  mode text COLLATE "C" NOT NULL,
  run_id text NOT NULL,
  finished_at bigint NOT NULL,
  done_at bigint,
  report text NOT NULL,
  PRIMARY KEY (sync, stream, mode)
);

CREATE TABLE %s._lockstep_field_lists (
  id bigint PRIMARY KEY,
  digest text COLLATE "C" NOT NULL UNIQUE,
  names text NOT NULL
);

-- What all changes of one commit share; the ids of its changes are first_id to last_id.
CREATE TABLE %s._lockstep_commits (
  first_id bigint PRIMARY KEY,
  last_id bigint NOT NULL,
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  field_list bigint NOT NULL
);
CREATE INDEX _lockstep_commits_by_stream ON %s._lockstep_commits (sync, stream, first_id);
CREATE INDEX _lockstep_commits_by_run ON %s._lockstep_commits (run_id, first_id);
CREATE INDEX _lockstep_commits_by_time ON %s._lockstep_commits (at, first_id, last_id);

-- Narrow, so that a million changes are walked at once; whole images stand beside it.
CREATE TABLE %s._lockstep_changes (
  id bigint PRIMARY KEY,
  commit_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  source_time text,
  fields text
);
CREATE INDEX _lockstep_changes_by_key ON %s._lockstep_changes (key, id);

CREATE TABLE %s._lockstep_change_images (
  id bigint PRIMARY KEY,
  image text NOT NULL
);

CREATE TABLE %s._lockstep_fields (
  id bigint PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  UNIQUE (name, sync, stream)
);

-- One row for each field of an update; before and after are folded for comparing, not for show.
CREATE TABLE %s._lockstep_change_fields (
  field bigint NOT NULL,
  change_id bigint NOT NULL,
  before text COLLATE "C",
  after text COLLATE "C",
  PRIMARY KEY (field, change_id)
);

-- For people with an SQL prompt.
CREATE VIEW %s._lockstep_log AS
  SELECT x.id, c.sync, c.stream, x.key, x.kind, c.run_id,
    to_timestamp(c.at / 1000.0) AS at, x.source_time, x.fields, i.image
  FROM %s._lockstep_changes AS x
  JOIN %s._lockstep_commits AS c ON c.first_id = x.commit_id
  LEFT JOIN %s._lockstep_change_images AS i ON i.id = x.id;

CREATE TABLE %s._lockstep_parked (
  id bigint PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  identity text COLLATE "C" NOT NULL,
  key text,
  image text NOT NULL,
  problems text NOT NULL,
  run_id text NOT NULL,
  first_at bigint NOT NULL,
  last_at bigint NOT NULL,
  attempts bigint NOT NULL,
  UNIQUE (sync, stream, identity)
);

CREATE TABLE %s._lockstep_halts (
  id bigint PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  stream text COLLATE "C" NOT NULL,
  code text NOT NULL,
  message text NOT NULL,
  details text NOT NULL,
  run_id text NOT NULL,
  at bigint NOT NULL,
  released_at bigint,
  released_by text,
  closed_at bigint
);
CREATE INDEX _lockstep_halts_open ON %s._lockstep_halts (sync) WHERE closed_at IS NULL;

CREATE TABLE %s._lockstep_audit (
  id bigint PRIMARY KEY,
  at bigint NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  details text NOT NULL
);

CREATE TABLE %s._lockstep_memory (
  system text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (system, name)
);
`;
