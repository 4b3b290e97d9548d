-- Refuses the ids of purged events as it does those of stored ones, so that an event that is sent or delivered again after its purge is
-- answered as a repetition and not stored.
CREATE OR REPLACE FUNCTION synap.refuse_purged_ids() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (
    SELECT FROM added AS a JOIN synap.purged_events AS p ON p.id_hash = synap.purged_id_hash(a.id))
  THEN
    RAISE EXCEPTION 'one of the events was purged' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION synap.refuse_purged_ids() FROM PUBLIC;

-- Disabled until the first purge, so that a log without one doesn't pay for it.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = 'synap.event_ids'::regclass AND t.tgname = 'purged_ids_are_refused') THEN
    CREATE TRIGGER purged_ids_are_refused
      AFTER INSERT ON synap.event_ids
      REFERENCING NEW TABLE AS added
      FOR EACH STATEMENT EXECUTE FUNCTION synap.refuse_purged_ids();
    ALTER TABLE synap.event_ids DISABLE TRIGGER purged_ids_are_refused;
  END IF;
END
$$;
