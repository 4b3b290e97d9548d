-- Begins a pass of an asynchronous handler, in one round trip and with plans that the session keeps: takes its
-- checkpoint, and returns everything that the pass depends on. No row when another worker has the checkpoint, or there is
-- none yet.
--
--   checkpoint         the checkpoint's name
--   handler            the name under which the handler's streams are held
--   projection, build  the build of a projection that is fed; null for any other handler
--   max_events         how far to look ahead, as for next_appends
--
-- The lock comes first and the looks afterwards: each statement of a VOLATILE function sees what was committed before
-- that statement began, so nothing that the last holder of the checkpoint did is missed.
CREATE OR REPLACE FUNCTION synap.begin_pass(
  checkpoint text, handler text, projection text, build integer, max_events integer
)
RETURNS TABLE (
  "position"    bigint,
  -- Streams of this handler wait; some of them may go on; in how many milliseconds the next one may.
  held          boolean,
  released      boolean,
  retry_in      double precision,
  -- The last pass of this checkpoint failed.
  failing       boolean,
  -- The build as it is now; null when it was dropped.
  feed          text,
  segments      integer,
  paused        boolean,
  handled_ahead jsonb,
  watermark     bigint,
  up_to         bigint,
  more          boolean,
  min_timestamp timestamptz,
  max_timestamp timestamptz
)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  name         CONSTANT text := begin_pass.handler;
  build_of     CONSTANT text := begin_pass.projection;
  build_number CONSTANT integer := begin_pass.build;
BEGIN
  SELECT c."position" INTO "position"
    FROM synap.checkpoints AS c WHERE c.handler = begin_pass.checkpoint
     FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  IF build_of IS NOT NULL THEN
    -- A crash may lose the last passes of a projection, rows and checkpoint together, and they are repeated from the
    -- log: nothing has to wait for the disk. Other handlers may have had side effects.
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT b.feed, b.segments, b.paused, b.handled_ahead
      INTO feed, segments, paused, handled_ahead
      FROM synap.projection_builds AS b WHERE b.projection = build_of AND b.build = build_number;
  END IF;

  held := EXISTS (SELECT FROM synap.held_streams AS h WHERE h.handler = name);
  IF held THEN
    -- What failed in the future failed before the clock was set back.
    SELECT coalesce(bool_or(h.retry_at IS NULL OR h.retry_at <= clock_timestamp() OR h.failed_at > clock_timestamp()), false),
           extract(epoch FROM min(h.retry_at) - clock_timestamp()) * 1000
      INTO released, retry_in
      FROM synap.held_streams AS h WHERE h.handler = name AND h.dead_letter_id IS NULL;
  ELSE
    released := false;
  END IF;
  failing := EXISTS (SELECT FROM synap.handler_failures AS f WHERE f.handler = begin_pass.checkpoint);

  SELECT n.watermark, n.up_to, n.more, n.min_timestamp, n.max_timestamp
    INTO watermark, up_to, more, min_timestamp, max_timestamp
    FROM synap.next_appends(begin_pass."position", begin_pass.max_events) AS n;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION synap.begin_pass(text, text, text, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.begin_pass(text, text, text, integer, integer) TO synap_app;
