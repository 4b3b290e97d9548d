-- The builds that an append has to feed. The shared lock, held until the append is committed, comes first, and the
-- look afterwards (each statement of a VOLATILE function sees what was committed before it began): whoever takes the
-- lock exclusively to change a feed knows that every append was fed the old way and is visible, or will be fed the new.
CREATE OR REPLACE FUNCTION synap.inline_builds(projections jsonb)
RETURNS TABLE (projection text, build integer, version integer)
LANGUAGE plpgsql VOLATILE
SET jit = off
AS $$
#variable_conflict use_column
BEGIN
  LOCK TABLE synap.inline_feeds IN ROW SHARE MODE;
  RETURN QUERY
  SELECT b.projection, b.build, b.version FROM synap.projection_builds AS b
   WHERE b.feed = 'inline' AND b.projection IN (SELECT jsonb_array_elements_text(projections))
   ORDER BY b.projection, b.build;
END
$$;

REVOKE ALL ON FUNCTION synap.inline_builds(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.inline_builds(jsonb) TO synap_app;
