-- API keys: who may call the HTTP API, and with which scopes. Of the secret only a hash is stored; it has 256 random bits, so a
-- fast hash is as good as a slow one. Rows are never deleted: a revoked key stays as the record of who had access.
CREATE TABLE synap.api_keys (
  created_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz(3),
  revoked_at   timestamptz(3),
  -- Written at most once a minute.
  last_used_at timestamptz(3),
  id           text           PRIMARY KEY COLLATE "C",
  -- SHA-256 as hexadecimal digits.
  secret_hash  text           NOT NULL,
  name         text           NOT NULL,
  kind         text           NOT NULL CHECK (kind IN ('staff', 'user', 'agent', 'machine')),
  principal_id text           NOT NULL COLLATE "C",
  -- Separated by spaces.
  scopes       text           NOT NULL
);

CREATE INDEX api_keys_created ON synap.api_keys (created_at, id);

-- Only the owner of the schema makes and revokes keys: the code of handlers can't.
GRANT SELECT, UPDATE (last_used_at) ON synap.api_keys TO synap_app;
