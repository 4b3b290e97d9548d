-- The builds that an append has to apply its events to. It takes the shared lock, which lasts until the append is
-- committed, before it reads the builds: each statement of a VOLATILE function sees what was committed before it began.
-- A transaction that changes a build's mode takes the lock exclusively, so every append is either visible to it and used
-- the old mode, or will use the new one.
CREATE OR REPLACE FUNCTION synap.inline_builds(projections jsonb)
RETURNS TABLE (projection text, build integer, version integer)
LANGUAGE plpgsql VOLATILE
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  LOCK TABLE synap.inline_builds_lock IN ROW SHARE MODE;
  RETURN QUERY
  SELECT b.projection, b.build, b.version FROM synap.projection_builds AS b
   WHERE b.mode = 'inline' AND b.projection IN (SELECT jsonb_array_elements_text(projections))
   ORDER BY b.projection, b.build;
END
$$;

REVOKE ALL ON FUNCTION synap.inline_builds(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.inline_builds(jsonb) TO synap_app;
