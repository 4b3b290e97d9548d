-- What became of a posted event. A duplicate's id, position and version are those of the first.
CREATE TYPE synap.posted_event AS (
  id             uuid,
  "position"     bigint,
  stream_version bigint,
  duplicate      boolean
);
