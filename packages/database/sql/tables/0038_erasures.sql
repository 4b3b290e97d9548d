-- Erasures of the personal data of subjects. The steps of one are recorded, so that it can be finished after an interruption: its keys are
-- destroyed, then copies are removed and an event is appended. What the workers remove afterwards is a row in synap.purges.
CREATE TABLE synap.erasures (
  id           uuid           PRIMARY KEY,
  begun_at     timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  destroyed_at timestamptz(3),
  erased_at    timestamptz(3),
  subject      text           NOT NULL UNIQUE COLLATE "C",
  erased_by    text           NOT NULL COLLATE "C",
  reason       text           NOT NULL,
  -- The event that records it.
  "position"   bigint
);

-- Subjects whose data must be kept for now, such as for a court.
CREATE TABLE synap.subject_holds (
  held_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  subject text           PRIMARY KEY COLLATE "C",
  held_by text           NOT NULL COLLATE "C",
  reason  text           NOT NULL
);

-- The subject of an erasure, of which no event is removed.
ALTER TABLE synap.purges ADD COLUMN erased_subject text COLLATE "C";
