-- Returns the issues of an event's data: what JSON or JavaScript can't keep, and otherwise what its type's schema refuses.
CREATE OR REPLACE FUNCTION synap.data_issues(data jsonb, known synap.event_types) RETURNS TABLE (path text, code text, reason text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY SELECT i.* FROM synap.json_issues(data, 'data') AS i LIMIT 100;
  IF FOUND OR known.name IS NULL THEN
    RETURN;
  END IF;
  IF known.check_of IS DISTINCT FROM encode(sha256(convert_to(known.json_schema::text, 'UTF8')), 'hex') THEN
    RETURN QUERY VALUES (
      'type', 'not-checkable',
      'was last described by an older release, which did not say how to check it: start a process of this release, or send the event over HTTP');
  ELSIF known.check_plan IS NULL THEN
    RETURN QUERY VALUES (
      'type', 'not-checkable',
      format('has a schema that SQL can''t check (%s): send the event over HTTP', known.unchecked));
  ELSE
    RETURN QUERY
    SELECT i.path, i.code, i.reason
      FROM synap.check_issues(known.check_plan, ARRAY[data], ARRAY['data']) AS i
     LIMIT 100;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.data_issues(jsonb, synap.event_types) FROM PUBLIC;
