-- Result of post_event. For a duplicate, id, position and version are those of the event stored first.
CREATE TYPE synap.posted_event AS (
  id             uuid,
  "position"     bigint,
  stream_version bigint,
  duplicate      boolean
);
