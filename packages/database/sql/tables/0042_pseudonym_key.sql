-- The key of the pseudonyms, by which events are found by personal values: wrapped by a key that is not in the database. One for all
-- subjects, because who looks for a value does not know whose it is.
CREATE TABLE synap.pseudonym_key (
  created_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  is_only     boolean        PRIMARY KEY DEFAULT true CHECK (is_only),
  wrapped_key text           NOT NULL
);

GRANT SELECT, INSERT (wrapped_key) ON synap.pseudonym_key TO synap_app;
