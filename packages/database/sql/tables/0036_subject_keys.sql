-- The keys of the people and others whose personal data is in events: one of each subject, wrapped by a key that is not in the database.
-- The row of an erased subject stays without its key: what was sealed with it can't be opened again, and nothing more is sealed for it.
CREATE TABLE synap.subject_keys (
  created_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  destroyed_at timestamptz(3),
  subject      text           PRIMARY KEY COLLATE "C",
  -- Null once it is destroyed.
  wrapped_key  text,
  CHECK ((wrapped_key IS NULL) = (destroyed_at IS NOT NULL))
);

-- Only the owner destroys and changes keys: the code of handlers can't.
GRANT SELECT, INSERT (subject, wrapped_key) ON synap.subject_keys TO synap_app;
