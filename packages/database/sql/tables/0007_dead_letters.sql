-- An event that a handler could not deal with, kept whole until somebody decides. The type is json, not jsonb: it
-- keeps even what jsonb refuses (NUL characters, lone surrogates), which may be the very reason the event is here.
CREATE TABLE synap.dead_letters (
  id              bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "position"      bigint,
  first_failed_at timestamptz(3) NOT NULL DEFAULT now(),
  last_failed_at  timestamptz(3) NOT NULL DEFAULT now(),
  attempts        integer        NOT NULL,
  handler         text           NOT NULL COLLATE "C",
  event_id        text           NOT NULL COLLATE "C",
  code            text           NOT NULL,
  reason          text           NOT NULL,
  status          text           NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'retried', 'skipped')),
  event           json           NOT NULL,
  -- Distinguishes dead letters of one id with different content, as when two senders used the same id; empty for events
  -- that are stored, whose id says it all.
  content         text           NOT NULL DEFAULT '' COLLATE "C",
  -- The same event delivered again doesn't become a second dead letter.
  UNIQUE (handler, event_id, content)
);

-- "What still needs somebody?", newest first.
CREATE INDEX dead_letters_status ON synap.dead_letters (status, id);

-- "How much of what was accepted is not stored?", asked by every readiness check.
CREATE INDEX dead_letters_not_stored ON synap.dead_letters (handler, status) WHERE status IN ('open', 'skipped');

-- What failed stays as it was set aside.
GRANT SELECT, INSERT, UPDATE ("position", last_failed_at, attempts, code, reason, status) ON synap.dead_letters TO synap_app;
