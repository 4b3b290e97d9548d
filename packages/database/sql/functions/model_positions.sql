-- Returns how far each writer of a read model has come: the rows that are read after this call have everything up to there, without the
-- events that wait behind a dead letter or a retry.
--
--   writers  a JSON array of { name, kind }: a projection, an asynchronous handler, an inline handler, or the log for a view over it
--
-- The watermark comes first: each statement of a VOLATILE function sees what was committed before it began. A build that is inline in the
-- second statement has all of the appends that were finished before the first; the other way round it could have stopped in between.
CREATE OR REPLACE FUNCTION synap.model_positions(writers jsonb)
RETURNS TABLE (
  name       text,
  -- The live build of a projection; null before there is one, and for other writers.
  build      integer,
  "position" bigint
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  finished CONSTANT bigint := synap.append_watermark() * 1024 + 1023;
BEGIN
  RETURN QUERY
  SELECT w.name, b.build,
         least(
           CASE
             WHEN w.kind IN ('log', 'inline') OR b.mode = 'inline' THEN finished
             WHEN w.kind = 'handler' THEN coalesce((SELECT c."position" FROM synap.checkpoints AS c WHERE c.handler = w.name), 0)
             ELSE coalesce(s."position", 0)
           END,
           -- Events that came through SQL, and those whose dead letter was resolved, are handled next.
           (SELECT min(p."position") - 1
              FROM synap.held_streams AS h
              JOIN synap.parked_events AS p USING (handler, aggregate_type, aggregate_id)
             WHERE h.handler = coalesce(w.name || '/' || b.build, w.name) AND h.dead_letter_id IS NULL AND h.retry_at IS NULL))
    FROM jsonb_to_recordset(writers) AS w (name text, kind text)
    LEFT JOIN synap.projection_builds AS b ON w.kind = 'projection' AND b.projection = w.name AND b.role = 'live'
    LEFT JOIN LATERAL (
      -- The segment that is least far. One without a checkpoint has not begun.
      SELECT min(coalesce(c."position", 0)) AS "position"
        FROM generate_series(1, b.segments) AS segment
        LEFT JOIN synap.checkpoints AS c
          ON c.handler = b.projection || '/' || b.build
                         || CASE WHEN b.segments > 1 THEN '/' || segment || 'of' || b.segments ELSE '' END
    ) AS s ON true;
END
$$;

REVOKE ALL ON FUNCTION synap.model_positions(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.model_positions(jsonb) TO synap_app;
