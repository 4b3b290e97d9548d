-- Sessions: who has signed in with a browser, and until when. What the browser holds is not in here, and no row that was not sealed
-- with the secret of the API is accepted: whoever can write this table can end sessions, but not begin any.
CREATE TABLE synap.sessions (
  created_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  -- Written at most once a minute, together with idle_ends_at.
  last_used_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  idle_ends_at timestamptz(3) NOT NULL,
  ends_at      timestamptz(3) NOT NULL,
  revoked_at   timestamptz(3),
  id           text           PRIMARY KEY COLLATE "C",
  -- HMAC-SHA256 as hexadecimal digits.
  seal         text           NOT NULL,
  kind         text           NOT NULL CHECK (kind IN ('staff', 'user', 'agent', 'machine')),
  principal_id text           NOT NULL COLLATE "C",
  -- Separated by spaces.
  scopes       text           NOT NULL,
  -- What its holder has shown: 'key:' and the id of an API key, or 'oidc:' and the issuer.
  origin       text           NOT NULL
);

CREATE INDEX sessions_created ON synap.sessions (created_at, id);
CREATE INDEX sessions_ends ON synap.sessions (ends_at);

-- The API begins and ends sessions with the rights of the application, because its login need not own the schema.
GRANT SELECT, INSERT, DELETE, UPDATE (last_used_at, idle_ends_at, revoked_at) ON synap.sessions TO synap_app;
