-- Rejects every update and delete of events, even by the owner of the tables. The exception is a purge:
-- synap.purge_events runs as the owner, in transactions for which synap.purge is 'on' (SET LOCAL). The application role lacks the privileges with or without it.
CREATE OR REPLACE FUNCTION synap.reject_event_changes() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  IF pg_catalog.current_setting('synap.purge', true) = 'on' THEN
    IF TG_LEVEL = 'STATEMENT' THEN
      RETURN NULL;
    ELSIF TG_OP = 'DELETE' THEN
      RETURN OLD;
    END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'events are immutable: % rejected', TG_OP
    USING ERRCODE = 'SY002', HINT = 'Append a new event that corrects the old one.';
END
$$;

REVOKE ALL ON FUNCTION synap.reject_event_changes() FROM PUBLIC;

-- The statement trigger protects the hypertable; TimescaleDB copies the row trigger to each chunk, to protect the chunks
-- themselves. Existing triggers are kept, because recreating them would lock every chunk.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = 'synap.events'::regclass AND t.tgname = 'events_are_immutable') THEN
    CREATE TRIGGER events_are_immutable
      BEFORE UPDATE OR DELETE OR TRUNCATE ON synap.events
      FOR EACH STATEMENT EXECUTE FUNCTION synap.reject_event_changes();
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = 'synap.events'::regclass AND t.tgname = 'event_rows_are_immutable') THEN
    CREATE TRIGGER event_rows_are_immutable
      BEFORE UPDATE OR DELETE ON synap.events
      FOR EACH ROW EXECUTE FUNCTION synap.reject_event_changes();
  END IF;
END
$$;
