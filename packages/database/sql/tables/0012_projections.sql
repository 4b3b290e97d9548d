-- Read models of projections. The application creates and drops their tables itself, a set for each build of a projection
-- (open_loops_1, open_loops_2), behind a view with a stable name (open_loops). All of it can be rebuilt from the events. Two
-- views are Synap's own, over the log itself: audit_log and compliance_stats.
CREATE SCHEMA synap_read;

GRANT USAGE, CREATE ON SCHEMA synap_read TO synap_app;

-- Build numbers, never reused.
CREATE SEQUENCE synap.projection_build_numbers AS integer;

GRANT SELECT, USAGE ON SEQUENCE synap.projection_build_numbers TO synap_app;

-- One row per build of a projection: a set of tables filled by one replay from the first event.
CREATE TABLE synap.projection_builds (
  build         integer        NOT NULL,
  version       integer        NOT NULL,
  segments      integer        NOT NULL,
  created_at    timestamptz(3) NOT NULL DEFAULT now(),
  live_since    timestamptz(3),
  -- The operator who last created, activated or paused it.
  changed_by    text,
  paused        boolean        NOT NULL DEFAULT false,
  projection    text           NOT NULL COLLATE "C",
  -- live: the views read its tables. building: it catches up beside the live one. previous: it was live, and is kept up to
  -- date for a rollback.
  role          text           NOT NULL CHECK (role IN ('live', 'building', 'previous')),
  -- inline: updated in the transaction of each append. async: updated from its checkpoints.
  mode          text           NOT NULL CHECK (mode IN ('async', 'inline')),
  -- The SQL of its tables. A change of it requires a new version.
  tables        text           NOT NULL,
  -- Error of its last pass; null once a pass succeeds.
  failure       text,
  -- Positions behind the checkpoint that were handled inline before the build became async.
  handled_ahead jsonb,
  PRIMARY KEY (projection, build),
  -- One build per role. Checked at the end of a statement, so that a single statement can swap two builds.
  CONSTRAINT projection_builds_role UNIQUE (projection, role) DEFERRABLE INITIALLY IMMEDIATE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON synap.projection_builds TO synap_app;

-- Dropping a build deletes its checkpoints.
GRANT DELETE ON synap.checkpoints TO synap_app;

-- These two tables stay empty and are only locked. An advisory lock would not do, because any session could take it and so
-- stop every append.
CREATE TABLE synap.inline_builds_lock ();

CREATE TABLE synap.build_changes ();

COMMENT ON TABLE synap.inline_builds_lock IS 'Empty. Locked by appends (ROW SHARE), and by transactions that change the mode of a build (EXCLUSIVE).';
COMMENT ON TABLE synap.build_changes IS 'Empty. Locked by transactions that change builds of projections (EXCLUSIVE).';

-- Required by LOCK TABLE.
GRANT UPDATE ON synap.inline_builds_lock, synap.build_changes TO synap_app;
