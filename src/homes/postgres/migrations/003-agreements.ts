/** What reconcile syncs agreed on: links, sides, staging, plans, journal, conflicts. */
export const agreements = `
CREATE TABLE %s._lockstep_generations (
  sync text COLLATE "C" PRIMARY KEY,
  generation bigint NOT NULL
);

CREATE TABLE %s._lockstep_numbers (
  name text COLLATE "C" PRIMARY KEY,
  value bigint NOT NULL
);

CREATE TABLE %s._lockstep_links (
  sync text COLLATE "C" NOT NULL,
  link bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  agreed text NOT NULL,
  behind bigint NOT NULL,
  PRIMARY KEY (sync, link)
);
CREATE INDEX _lockstep_links_by_name ON %s._lockstep_links (sync, name);
CREATE INDEX _lockstep_links_behind ON %s._lockstep_links (sync, link) WHERE behind = 1;

CREATE TABLE %s._lockstep_sides (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  side text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  link bigint NOT NULL,
  hash text NOT NULL,
  acknowledged text NOT NULL,
  version text,
  UNIQUE (sync, side, key)
);
CREATE INDEX _lockstep_sides_by_link ON %s._lockstep_sides (sync, link);
CREATE INDEX _lockstep_sides_in_order ON %s._lockstep_sides (sync, side, id);

CREATE TABLE %s._lockstep_buried (
  sync text COLLATE "C" NOT NULL,
  side text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  link bigint NOT NULL,
  hash text NOT NULL,
  buried_at bigint NOT NULL,
  PRIMARY KEY (sync, side, key)
);

CREATE TABLE %s._lockstep_staged (
  sync text COLLATE "C" NOT NULL,
  side text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  link bigint,
  state text NOT NULL,
  field_values text NOT NULL,
  name text COLLATE "C",
  modified_at text,
  version text,
  PRIMARY KEY (sync, side, key)
);
CREATE INDEX _lockstep_staged_by_link ON %s._lockstep_staged (sync, link);
CREATE INDEX _lockstep_staged_by_name ON %s._lockstep_staged (sync, name) WHERE link IS NULL;

CREATE TABLE %s._lockstep_plans (
  plan text COLLATE "C" PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  made_at bigint NOT NULL,
  applied bigint NOT NULL,
  head text NOT NULL
);
CREATE INDEX _lockstep_plans_by_sync ON %s._lockstep_plans (sync, made_at);

CREATE TABLE %s._lockstep_plan_runs (
  plan text COLLATE "C" NOT NULL,
  run_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (plan, run_id)
);
CREATE INDEX _lockstep_plan_runs_by_run ON %s._lockstep_plan_runs (run_id);

CREATE TABLE %s._lockstep_planned (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  plan text COLLATE "C" NOT NULL,
  link bigint NOT NULL,
  record text NOT NULL,
  run_id text COLLATE "C",
  settled_at bigint,
  UNIQUE (plan, link)
);
CREATE INDEX _lockstep_planned_by_link ON %s._lockstep_planned (sync, link, id);

CREATE TABLE %s._lockstep_ambiguous (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  plan text COLLATE "C" NOT NULL,
  found text NOT NULL
);
CREATE INDEX _lockstep_ambiguous_by_plan ON %s._lockstep_ambiguous (plan, id);

CREATE TABLE %s._lockstep_operations (
  id text COLLATE "C" PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  plan text COLLATE "C" NOT NULL,
  link bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  side text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL,
  run_id text COLLATE "C",
  at bigint NOT NULL,
  operation text NOT NULL,
  ending text
);
CREATE INDEX _lockstep_operations_by_link ON %s._lockstep_operations (sync, link, at);
CREATE INDEX _lockstep_operations_by_run ON %s._lockstep_operations (run_id, at, id);
CREATE INDEX _lockstep_operations_by_plan ON %s._lockstep_operations (plan, link);
CREATE INDEX _lockstep_operations_open ON %s._lockstep_operations (sync, plan, link)
  WHERE state IN ('intent', 'unknown');

CREATE TABLE %s._lockstep_conflicts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sync text COLLATE "C" NOT NULL,
  link bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  field text COLLATE "C" NOT NULL,
  why text NOT NULL,
  base text,
  candidates text NOT NULL,
  opened_at bigint NOT NULL,
  run_id text NOT NULL,
  resolution text,
  UNIQUE (sync, link, field)
);
CREATE INDEX _lockstep_conflicts_resolved ON %s._lockstep_conflicts (sync, link) WHERE resolution IS NOT NULL;
`;
