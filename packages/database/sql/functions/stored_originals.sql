-- Returns the ids of the stored events that an event repeats: the one with its id, and the one with its creator's idempotency
-- key. Of a purged event, whose id is gone, the id of the event itself. PostgreSQL puts the query in place of the call, because it is a single SELECT without settings of its own; OFFSET 0 then
-- fixes the join order, from the events of the caller into the tables.
CREATE OR REPLACE FUNCTION synap.stored_originals(event_id uuid, creator text, idempotency_key text)
RETURNS SETOF uuid
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT i.id FROM synap.event_ids AS i WHERE i.id = $1
  UNION ALL
  SELECT k.event_id FROM synap.idempotency_keys AS k WHERE k.created_by = $2 AND k.key = $3
  UNION ALL
  SELECT $1 FROM synap.purged_events AS p WHERE p.id_hash = synap.purged_id_hash($1)
  UNION ALL
  SELECT $1 FROM synap.purged_events AS p WHERE p.key_hash = synap.purged_key_hash($2, $3)
  OFFSET 0;
END;

REVOKE ALL ON FUNCTION synap.stored_originals(uuid, text, text) FROM PUBLIC;
