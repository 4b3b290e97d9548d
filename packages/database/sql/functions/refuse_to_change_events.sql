-- Nobody changes the past, not even the owner of the tables. The one exception is a purge that the law or a retention
-- rule asks for: the documented purge procedure sets synap.purge = 'on' for its own transaction (SET LOCAL), as the
-- owner. The application role lacks the privileges with or without it.
CREATE OR REPLACE FUNCTION synap.refuse_to_change_events() RETURNS trigger
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
  RAISE EXCEPTION 'events are immutable: % refused', TG_OP
    USING ERRCODE = 'SY002', HINT = 'Append a new event that corrects the old one.';
END
$$;

REVOKE ALL ON FUNCTION synap.refuse_to_change_events() FROM PUBLIC;

-- The statement trigger answers whoever names the hypertable; TimescaleDB copies the row trigger to each chunk, for
-- whoever names a chunk. They stay when this file is applied again: making them anew would lock every chunk.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = 'synap.events'::regclass AND t.tgname = 'events_are_immutable') THEN
    CREATE TRIGGER events_are_immutable
      BEFORE UPDATE OR DELETE OR TRUNCATE ON synap.events
      FOR EACH STATEMENT EXECUTE FUNCTION synap.refuse_to_change_events();
  END IF;
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                  WHERE t.tgrelid = 'synap.events'::regclass AND t.tgname = 'event_rows_are_immutable') THEN
    CREATE TRIGGER event_rows_are_immutable
      BEFORE UPDATE OR DELETE ON synap.events
      FOR EACH ROW EXECUTE FUNCTION synap.refuse_to_change_events();
  END IF;
END
$$;
