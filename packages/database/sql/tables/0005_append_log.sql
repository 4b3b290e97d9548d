-- Append numbers. Each append takes one; an event's position is number * 1024 + its index in the append.
CREATE SEQUENCE synap.append_sequence AS bigint;

-- A new sequence has last_value 1 both before and after its first number. The watermark needs last_value to be strictly
-- below every future number, so the first number is consumed here.
SELECT pg_catalog.nextval('synap.append_sequence');

-- One row per append. Readers first query this small table for the time bounds of the next events; without them they
-- would have to read every chunk. It also yields lag and throughput.
CREATE TABLE synap.appends (
  number        bigint         PRIMARY KEY,
  last_position bigint         NOT NULL,
  count         integer        NOT NULL,
  min_timestamp timestamptz(3) NOT NULL,
  max_timestamp timestamptz(3) NOT NULL,
  recorded_at   timestamptz(3) NOT NULL
);

GRANT SELECT ON SEQUENCE synap.append_sequence TO synap_app;
GRANT SELECT ON synap.appends TO synap_app;
