-- The epochs of the store: another one begins when the database was restored, copied or promoted, so that events may be lost that others
-- have seen. Append numbers continue far behind those that were given out before, so a position shows its epoch: one between last_before
-- and first_number is of lost events, and no reader may continue there as if nothing had happened.
CREATE TABLE synap.epochs (
  number       integer        PRIMARY KEY,
  begun_at     timestamptz(3) NOT NULL DEFAULT now(),
  -- The first append number that may be of this epoch...
  first_number bigint         NOT NULL,
  -- ... and the last one that the store has of the epochs before it.
  last_before  bigint         NOT NULL,
  -- When synap verify --restored found no fault in it.
  verified_at  timestamptz(3),
  -- The database that writes this epoch; see synap.database_history. Empty until its first append.
  history      text           NOT NULL COLLATE "C"
);

INSERT INTO synap.epochs (number, first_number, last_before, verified_at, history) VALUES (1, 0, -1, now(), '');

GRANT SELECT ON synap.epochs TO synap_app;
