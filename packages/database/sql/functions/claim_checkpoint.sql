-- Locks the checkpoint of a consumer for this transaction and returns everything that its next pass depends on, in one
-- round trip and with plans that the session keeps. Returns no row if another worker has the checkpoint, or it does not
-- exist yet.
--
--   checkpoint         the checkpoint's name
--   handler            the name under which the handler's streams are held
--   projection, build  the build of a projection that the handler writes; null for any other handler
--   max_events         size of the window, as for next_appends
--   known_after        ... and known_to: the caller has the events between these positions; null: it has none
--
-- The lock comes before the reads: each statement of a VOLATILE function sees what was committed before it began, so
-- nothing that the last holder of the checkpoint did is missed.
CREATE OR REPLACE FUNCTION synap.claim_checkpoint(
  checkpoint text, handler text, projection text, build integer, max_events integer, known_after bigint, known_to bigint
)
RETURNS TABLE (
  "position"    bigint,
  -- Streams are held for the handler; one of them may resume; milliseconds until the next one may.
  held          boolean,
  released      boolean,
  retry_in      double precision,
  -- The last pass of this checkpoint failed.
  failing       boolean,
  -- The build as it is now; null when it was dropped.
  mode          text,
  segments      integer,
  paused        boolean,
  handled_ahead jsonb,
  -- The caller has the next events. The columns after this one are then null.
  known         boolean,
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
  name         CONSTANT text := claim_checkpoint.handler;
  build_of     CONSTANT text := claim_checkpoint.projection;
  build_number CONSTANT integer := claim_checkpoint.build;
BEGIN
  SELECT c."position" INTO "position"
    FROM synap.checkpoints AS c WHERE c.handler = claim_checkpoint.checkpoint
     FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN;
  END IF;

  IF build_of IS NOT NULL THEN
    -- A crash may lose the last passes of a projection, rows and checkpoint together, and they are repeated from the
    -- log, so the commit need not wait for the disk. Other handlers may have had side effects.
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT b.mode, b.segments, b.paused, b.handled_ahead
      INTO mode, segments, paused, handled_ahead
      FROM synap.projection_builds AS b WHERE b.projection = build_of AND b.build = build_number;
  END IF;

  held := EXISTS (SELECT FROM synap.held_streams AS h WHERE h.handler = name);
  IF held THEN
    -- A failure in the future happened before the clock was set back.
    SELECT coalesce(bool_or(h.retry_at IS NULL OR h.retry_at <= clock_timestamp() OR h.failed_at > clock_timestamp()), false),
           extract(epoch FROM min(h.retry_at) - clock_timestamp()) * 1000
      INTO released, retry_in
      FROM synap.held_streams AS h WHERE h.handler = name AND h.dead_letter_id IS NULL;
  ELSE
    released := false;
  END IF;
  failing := EXISTS (SELECT FROM synap.handler_failures AS f WHERE f.handler = claim_checkpoint.checkpoint);

  known := coalesce("position" >= known_after AND "position" < known_to, false);
  IF known THEN
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT n.watermark, n.up_to, n.more, n.min_timestamp, n.max_timestamp
    INTO watermark, up_to, more, min_timestamp, max_timestamp
    FROM synap.next_appends(claim_checkpoint."position", claim_checkpoint.max_events) AS n;
  RETURN NEXT;
END
$$;

REVOKE ALL ON FUNCTION synap.claim_checkpoint(text, text, text, integer, integer, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.claim_checkpoint(text, text, text, integer, integer, bigint, bigint) TO synap_app;
