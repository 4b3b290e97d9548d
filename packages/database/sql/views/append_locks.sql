-- Locks of appends in this database, and locks of other sessions with the same keys. Each append holds two: the one on
-- synap.streams, which only an append can have, and the advisory one, whose key contains a lower bound of its number
-- ("low"). append_watermark reads pg_locks itself, because this view makes it a fifth slower on the embedded engine.
CREATE OR REPLACE VIEW synap.append_locks AS
SELECT l.pid, l.virtualtransaction, l.locktype = 'advisory' AS is_advisory,
       CASE WHEN l.locktype = 'advisory' THEN synap.append_start_of(l.classid, l.objid) END AS low
  FROM pg_catalog.pg_locks AS l
 WHERE (l.locktype = 'advisory' AND l.objsubid = 1 AND l.classid::bigint >> 24 = synap.lock_namespace()
        OR l.locktype = 'relation' AND l.relation = 'synap.streams'::regclass AND l.mode = 'RowExclusiveLock')
   AND l.database = (SELECT synap.this_database());
