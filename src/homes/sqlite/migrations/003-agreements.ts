/** What reconcile syncs agreed on: links, sides, staging, plans, journal, conflicts. */
export const agreements = `
CREATE TABLE _lockstep_generations (
  sync TEXT PRIMARY KEY,
  generation INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE _lockstep_numbers (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE _lockstep_links (
  sync TEXT NOT NULL,
  link INTEGER NOT NULL,
  name TEXT NOT NULL,
  agreed TEXT NOT NULL,
  behind INTEGER NOT NULL,
  PRIMARY KEY (sync, link)
);
CREATE INDEX _lockstep_links_by_name ON _lockstep_links (sync, name);
CREATE INDEX _lockstep_links_behind ON _lockstep_links (sync, link) WHERE behind = 1;

CREATE TABLE _lockstep_sides (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  side TEXT NOT NULL,
  key TEXT NOT NULL,
  link INTEGER NOT NULL,
  hash TEXT NOT NULL,
  acknowledged TEXT NOT NULL,
  version TEXT,
  UNIQUE (sync, side, key)
);
CREATE INDEX _lockstep_sides_by_link ON _lockstep_sides (sync, link, side);
CREATE INDEX _lockstep_sides_in_order ON _lockstep_sides (sync, side, id);

CREATE TABLE _lockstep_buried (
  sync TEXT NOT NULL,
  side TEXT NOT NULL,
  key TEXT NOT NULL,
  link INTEGER NOT NULL,
  hash TEXT NOT NULL,
  buried_at INTEGER NOT NULL,
  PRIMARY KEY (sync, side, key)
) WITHOUT ROWID;

CREATE TABLE _lockstep_staged (
  sync TEXT NOT NULL,
  side TEXT NOT NULL,
  key TEXT NOT NULL,
  link INTEGER,
  state TEXT NOT NULL,
  field_values TEXT NOT NULL,
  name TEXT,
  modified_at TEXT,
  version TEXT,
  PRIMARY KEY (sync, side, key)
);
CREATE INDEX _lockstep_staged_by_link ON _lockstep_staged (sync, link);
CREATE INDEX _lockstep_staged_by_name ON _lockstep_staged (sync, name) WHERE link IS NULL;

CREATE TABLE _lockstep_plans (
  plan TEXT PRIMARY KEY,
  sync TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  head TEXT NOT NULL
);
CREATE INDEX _lockstep_plans_by_sync ON _lockstep_plans (sync, made_at);

CREATE TABLE _lockstep_plan_runs (
  plan TEXT NOT NULL,
  run_id TEXT NOT NULL,
  PRIMARY KEY (plan, run_id)
) WITHOUT ROWID;
CREATE INDEX _lockstep_plan_runs_by_run ON _lockstep_plan_runs (run_id);

CREATE TABLE _lockstep_planned (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  plan TEXT NOT NULL,
  link INTEGER NOT NULL,
  record TEXT NOT NULL,
  run_id TEXT,
  settled_at INTEGER,
  UNIQUE (plan, link)
);
CREATE INDEX _lockstep_planned_by_link ON _lockstep_planned (sync, link, id);

CREATE TABLE _lockstep_ambiguous (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  plan TEXT NOT NULL,
  found TEXT NOT NULL
);
CREATE INDEX _lockstep_ambiguous_by_plan ON _lockstep_ambiguous (plan, id);

CREATE TABLE _lockstep_operations (
  id TEXT PRIMARY KEY,
  sync TEXT NOT NULL,
  plan TEXT NOT NULL,
  link INTEGER NOT NULL,
  name TEXT NOT NULL,
  side TEXT NOT NULL,
  state TEXT NOT NULL,
  run_id TEXT,
  at INTEGER NOT NULL,
  operation TEXT NOT NULL,
  ending TEXT
);
CREATE INDEX _lockstep_operations_by_link ON _lockstep_operations (sync, link, at);
CREATE INDEX _lockstep_operations_by_run ON _lockstep_operations (run_id, at, id);
CREATE INDEX _lockstep_operations_by_plan ON _lockstep_operations (plan, link);
CREATE INDEX _lockstep_operations_open ON _lockstep_operations (sync, plan, link)
  WHERE state IN ('intent', 'unknown');

CREATE TABLE _lockstep_conflicts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sync TEXT NOT NULL,
  link INTEGER NOT NULL,
  name TEXT NOT NULL,
  field TEXT NOT NULL,
  why TEXT NOT NULL,
  base TEXT,
  candidates TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  resolution TEXT,
  UNIQUE (sync, link, field)
);
CREATE INDEX _lockstep_conflicts_resolved ON _lockstep_conflicts (sync, link) WHERE resolution IS NOT NULL;
`;
