-- The order of appends. Each append takes one number; an event's position is number * 1024 + its place in the append.
CREATE SEQUENCE synap.append_sequence AS bigint;

-- A fresh sequence shows last_value 1 both before and after its first number. The watermark needs last_value to be
-- strictly below every number still to come, so the first number is used up here.
SELECT pg_catalog.nextval('synap.append_sequence');

-- One row for each append that stored something. A reader asks this small table first and learns the time bounds of
-- what comes next; without them it would have to look into every chunk. It also gives lag and throughput for nothing.
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
