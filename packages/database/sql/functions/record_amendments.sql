-- Records which events the corrections and retractions of an append amend: originals of the same type and stream. Whoever appends has
-- checked that, and what is wrong all the same, such as of a release without the check, amends nothing. One whose original was archived since that
-- check is refused: it would be stored, and never be in force.
CREATE OR REPLACE FUNCTION synap.record_amendments(number bigint, first_time timestamptz, last_time timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  amending record;
  recorded bigint;
BEGIN
  -- EXECUTE plans with these values, so that only the chunks of the append, and then of each original, are read.
  FOR amending IN EXECUTE $query$
    SELECT e.*, i."timestamp" AS amended_time, i."position" AS amended_position
      FROM synap.events AS e
      JOIN synap.event_ids AS i ON i.id = synap.amended_event(e.metadata)
     WHERE e."position" BETWEEN $1 * 1024 AND $1 * 1024 + 1023 AND e."timestamp" BETWEEN $2 AND $3
     ORDER BY e."position"
  $query$ USING number, first_time, last_time
  LOOP
    EXECUTE $query$
      INSERT INTO synap.amendments (
        amended_id, amended_position, "position", amending_id, kind, recorded_at, user_id, created_by
      )
      SELECT o.id, o."position", $1, $2, CASE WHEN $3 ->> 'corrects' = o.id::text THEN 'correction' ELSE 'retraction' END,
             $4, $5, $6
        FROM synap.events AS o
       WHERE o."timestamp" = $7 AND o."position" = $8 AND o."position" < $1 AND o.type = $9 AND o.aggregate_type = $10
         AND o.aggregate_id = $11 AND synap.amended_event(o.metadata) IS NULL
    $query$ USING amending."position", amending.id, amending.metadata, amending.recorded_at, amending.user_id,
                  amending.created_by, amending.amended_time, amending.amended_position, amending.type,
                  amending.aggregate_type, amending.aggregate_id;
    GET DIAGNOSTICS recorded = ROW_COUNT;
    IF recorded = 0 AND EXISTS (
      SELECT
        FROM (
          SELECT r.first_position FROM synap.archived_ranges AS r
           WHERE r.last_position >= amending.amended_position ORDER BY r.last_position LIMIT 1
        ) AS next
       WHERE next.first_position <= amending.amended_position)
    THEN
      RAISE EXCEPTION 'the event % amends one that is archived', amending.id USING ERRCODE = 'foreign_key_violation';
    END IF;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION synap.record_amendments(bigint, timestamptz, timestamptz) FROM PUBLIC;
