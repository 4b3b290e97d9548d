-- The index of actors named nearly every event a second time, because most events are made by the user that they name: it took
-- an eighth of the time of an append. The next file makes a smaller one. Two files, because each takes two locks per chunk, and
-- the lock table is finite.
DROP INDEX synap.events_actor;
