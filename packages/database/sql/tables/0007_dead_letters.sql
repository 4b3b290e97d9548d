-- Events that a handler could not process, kept unchanged until an operator retries or skips them. The type is json instead
-- of jsonb because it stores what jsonb rejects (NUL characters, lone surrogates), which may be why the event failed.
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
  -- Hash of the content, for dead letters of one id with different content, as when two senders used the same id; empty for
  -- stored events, which their id identifies.
  content         text           NOT NULL DEFAULT '' COLLATE "C",
  -- A repeated delivery creates no second dead letter.
  UNIQUE (handler, event_id, content)
);

-- The dead letters of a status, newest first.
CREATE INDEX dead_letters_status ON synap.dead_letters (status, id);

-- The number of accepted events that are not stored, for every readiness check.
CREATE INDEX dead_letters_not_stored ON synap.dead_letters (handler, status) WHERE status IN ('open', 'skipped');

-- The event of a dead letter can't be changed.
GRANT SELECT, INSERT, UPDATE ("position", last_failed_at, attempts, code, reason, status) ON synap.dead_letters TO synap_app;
