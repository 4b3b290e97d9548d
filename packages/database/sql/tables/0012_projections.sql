-- Read models that projections keep. The application makes and drops their tables itself, a set for each build of a
-- projection (open_loops_1, open_loops_2), behind a view of the stable name (open_loops) that everybody reads. They
-- hold nothing that can't be made again from the events.
CREATE SCHEMA synap_read;

GRANT USAGE, CREATE ON SCHEMA synap_read TO synap_app;

-- Numbers of builds, never used twice.
CREATE SEQUENCE synap.projection_build_numbers AS integer;

GRANT SELECT, USAGE ON SEQUENCE synap.projection_build_numbers TO synap_app;

-- One row for each build of a projection: the tables that one run from the first event on has filled.
CREATE TABLE synap.projection_builds (
  build         integer        NOT NULL,
  version       integer        NOT NULL,
  segments      integer        NOT NULL,
  created_at    timestamptz(3) NOT NULL DEFAULT now(),
  live_since    timestamptz(3),
  -- Who asked for it, who made it live, who paused it: the last of these.
  changed_by    text,
  paused        boolean        NOT NULL DEFAULT false,
  projection    text           NOT NULL COLLATE "C",
  -- live: its tables are behind the views. building: it catches up beside the live one. previous: it was live, and
  -- is kept up to date so that one can go back.
  role          text           NOT NULL CHECK (role IN ('live', 'building', 'previous')),
  -- inline: in the transaction of each append. async: from its checkpoints.
  mode          text           NOT NULL CHECK (mode IN ('async', 'inline')),
  -- The SQL of its tables: a version whose tables have changed is another version.
  tables        text           NOT NULL,
  -- What stopped its last pass, until one succeeds.
  failure       text,
  -- Positions behind the checkpoint that were handled inline before the build became async.
  handled_ahead jsonb,
  PRIMARY KEY (projection, build),
  -- No two builds of a projection have the same role. Looked at when a statement ends, so that one can swap them.
  CONSTRAINT projection_builds_role UNIQUE (projection, role) DEFERRABLE INITIALLY IMMEDIATE
);

GRANT SELECT, INSERT, UPDATE, DELETE ON synap.projection_builds TO synap_app;

-- The checkpoints of a build go with it.
GRANT DELETE ON synap.checkpoints TO synap_app;

-- Nothing is ever stored in these two: they are locked. An advisory lock could be taken by any session, which would stop
-- every append.
CREATE TABLE synap.inline_builds_lock ();

CREATE TABLE synap.build_changes ();

COMMENT ON TABLE synap.inline_builds_lock IS 'Empty. Locked by appends (ROW SHARE), and by transactions that change the mode of a build (EXCLUSIVE).';
COMMENT ON TABLE synap.build_changes IS 'Empty. Locked by transactions that change builds of projections (EXCLUSIVE).';

-- LOCK TABLE asks for it.
GRANT UPDATE ON synap.inline_builds_lock, synap.build_changes TO synap_app;
