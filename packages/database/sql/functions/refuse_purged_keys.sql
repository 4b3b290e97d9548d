-- Refuses the idempotency keys of purged events, as synap.refuse_purged_ids does their ids.
CREATE OR REPLACE FUNCTION synap.refuse_purged_keys() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (
    SELECT FROM added AS a JOIN synap.purged_events AS p ON p.key_hash = synap.purged_key_hash(a.created_by, a.key))
  THEN
    RAISE EXCEPTION 'the idempotency key of one of the events is that of a purged event' USING ERRCODE = 'unique_violation';
  END IF;
  RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION synap.refuse_purged_keys() FROM PUBLIC;

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = 'synap.idempotency_keys'::regclass AND t.tgname = 'purged_keys_are_refused') THEN
    CREATE TRIGGER purged_keys_are_refused
      AFTER INSERT ON synap.idempotency_keys
      REFERENCING NEW TABLE AS added
      FOR EACH STATEMENT EXECUTE FUNCTION synap.refuse_purged_keys();
    ALTER TABLE synap.idempotency_keys DISABLE TRIGGER purged_keys_are_refused;
  END IF;
END
$$;
