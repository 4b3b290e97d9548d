-- Returns a page of the audit log, in descending order of positions.
--
--   of_actor                         only what this actor did; null: any
--   of_subject_type, of_subject_id   only what happened to this aggregate; null: any
--   before_position                  only entries with a lower position; null: from the end of the log
--   max_entries                      the size of the page
--
-- A page has every event that was committed when the first page was read. Raises SY017 for one that would come to an archived event. VOLATILE, as
-- synap.get_aggregate_events. A statement with time bounds is planned with their
-- values, for the chunks between them. Events of an actor, and of a range of more than 30 days, may be in any chunk: planning
-- for all of them at each call would cost ten times as much as a plan that the session keeps.
--
-- An actor's events are in two indexes: events_user has those whose user is the actor, in the order of time, and events_actor
-- all others, in the order of positions.
CREATE OR REPLACE FUNCTION synap.audit_entries(
  of_actor text, of_subject_type text, of_subject_id text, before_position bigint, max_entries integer
)
RETURNS SETOF synap_read.audit_log
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $$
DECLARE
  before         bigint := coalesce(before_position, 9223372036854775807);
  before_number  CONSTANT bigint := before >> 10;
  wide           CONSTANT interval := '30 days';
  nearby         CONSTANT integer := CASE WHEN of_actor IS NULL THEN max_entries ELSE 5000 END;
  found_near     integer := 0;
  first_time     timestamptz;
  last_time      timestamptz;
  lowest         bigint;
  before_version bigint := 9223372036854775807;
  archived       synap.archived_chunks;
BEGIN
  archived := synap.archived_before(before, ARRAY[
    synap.archive_key('creator', of_actor), synap.archive_key('stream', of_subject_type || '/' || of_subject_id)]);
  IF archived.chunk IS NOT NULL AND max_entries > (
    SELECT count(*)
      FROM (
        SELECT FROM synap_read.audit_log AS l
         WHERE l."position" > archived.last_position AND l."position" < before AND (of_actor IS NULL OR l.actor = of_actor)
           AND (of_subject_id IS NULL OR l.subject_type = of_subject_type AND l.subject_id = of_subject_id)
         LIMIT max_entries
      ) AS later)
  THEN
    PERFORM synap.refuse_archived(archived);
  END IF;
  IF of_subject_id IS NOT NULL THEN
    SELECT s.first_timestamp, s.last_timestamp INTO first_time, last_time
      FROM synap.streams AS s WHERE s.aggregate_type = of_subject_type AND s.aggregate_id = of_subject_id;
    IF NOT FOUND THEN
      RETURN;
    END IF;
    -- Versions of a stream are in the order of positions, and they are indexed. The last entry of the page before has the one
    -- to continue from; any other position is compared itself.
    IF before_position IS NOT NULL THEN
      EXECUTE $query$
        SELECT subject_version FROM synap_read.audit_log
         WHERE "position" = $1 AND happened_at BETWEEN $2 AND $3 AND subject_type = $4 AND subject_id = $5
      $query$ INTO before_version
        USING before, (SELECT a.min_timestamp FROM synap.appends AS a WHERE a.number = before_number),
              (SELECT a.max_timestamp FROM synap.appends AS a WHERE a.number = before_number), of_subject_type, of_subject_id;
      before_version := coalesce(before_version, 9223372036854775807);
    END IF;
    IF last_time - first_time <= wide THEN
      RETURN QUERY EXECUTE $query$
        SELECT * FROM synap_read.audit_log
         WHERE subject_type = $1 AND subject_id = $2 AND subject_version < $3 AND "position" < $4
           AND happened_at BETWEEN $5 AND $6 AND ($7 IS NULL OR actor = $7)
         ORDER BY subject_version DESC
         LIMIT $8
      $query$ USING of_subject_type, of_subject_id, before_version, before, first_time, last_time, of_actor, max_entries;
    ELSE
      RETURN QUERY
        SELECT * FROM synap_read.audit_log AS l
         WHERE l.subject_type = of_subject_type AND l.subject_id = of_subject_id AND l.subject_version < before_version
           AND l."position" < before AND (of_actor IS NULL OR l.actor = of_actor)
         ORDER BY l.subject_version DESC
         LIMIT max_entries;
    END IF;
    RETURN;
  END IF;

  -- The last appends before the position and their time bounds: those that have the page, or in which an actor is searched first.
  SELECT min(w.number) * 1024, min(w.min_timestamp), max(w.max_timestamp) INTO lowest, first_time, last_time
    FROM (
      SELECT a.*, sum(a.entries) OVER (ORDER BY a.number DESC) - a.entries AS entries_after
        FROM (
          SELECT r.*, CASE WHEN r.number = before_number THEN least(r.count, before & 1023) ELSE r.count END AS entries
            FROM synap.appends AS r
           WHERE r.number <= before_number
           ORDER BY r.number DESC
           -- The first may have no entry below "before".
           LIMIT nearby + 1
        ) AS a
    ) AS w
   WHERE w.entries_after < nearby;
  IF lowest IS NULL THEN
    RETURN;
  END IF;
  IF last_time - first_time <= wide THEN
    RETURN QUERY EXECUTE $query$
      SELECT * FROM synap_read.audit_log
       WHERE "position" >= $1 AND "position" < $2 AND happened_at BETWEEN $3 AND $4 AND ($5 IS NULL OR actor = $5)
       ORDER BY "position" DESC
       LIMIT $6
    $query$ USING lowest, before, first_time, last_time, of_actor, max_entries;
    GET DIAGNOSTICS found_near = ROW_COUNT;
    before := lowest;
  END IF;
  IF found_near = max_entries THEN
    RETURN;
  END IF;
  IF of_actor IS NOT NULL THEN
    IF starts_with(of_actor, 'user:') THEN
      -- Materialized, because the planner would rather walk through all positions than sort the events of a user.
      RETURN QUERY
        WITH by_user AS MATERIALIZED (
          SELECT * FROM synap_read.audit_log AS l
           WHERE l.user_id = substr(of_actor, 6) AND l.actor = of_actor AND l."position" < before
        ), by_others AS (
          SELECT * FROM synap_read.audit_log AS l
           WHERE l.actor = of_actor AND l.actor IS DISTINCT FROM 'user:' || l.user_id AND - l."position" > - before
           ORDER BY - l."position"
           LIMIT max_entries - found_near
        )
        SELECT * FROM by_user UNION ALL SELECT * FROM by_others
         ORDER BY "position" DESC
         LIMIT max_entries - found_near;
    ELSE
      RETURN QUERY
        SELECT * FROM synap_read.audit_log AS l
         WHERE l.actor = of_actor AND l.actor IS DISTINCT FROM 'user:' || l.user_id AND - l."position" > - before
         ORDER BY - l."position"
         LIMIT max_entries - found_near;
    END IF;
  ELSIF before > lowest THEN
    RETURN QUERY
      SELECT * FROM synap_read.audit_log AS l
       WHERE l."position" >= lowest AND l."position" < before
       ORDER BY l."position" DESC
       LIMIT max_entries;
  END IF;
END
$$;

REVOKE ALL ON FUNCTION synap.audit_entries(text, text, text, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.audit_entries(text, text, text, bigint, integer) TO synap_app;
