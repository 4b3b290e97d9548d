-- Links by which a browser begins a session once. Rows go when a link is used, or minutes after it was made. Like sessions, none is
-- accepted that was not sealed with the secret of the API, and what its holder has is not in here.
CREATE TABLE synap.sign_in_links (
  created_at   timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz(3) NOT NULL,
  -- End of what its maker has shown, and so of the session; null if that does not expire.
  ends_before  timestamptz(3),
  id           text           PRIMARY KEY COLLATE "C",
  -- HMAC-SHA256 as hexadecimal digits.
  seal         text           NOT NULL,
  kind         text           NOT NULL CHECK (kind IN ('staff', 'user', 'agent', 'machine')),
  principal_id text           NOT NULL COLLATE "C",
  -- Separated by spaces.
  scopes       text           NOT NULL,
  -- What its maker has shown: 'key:' and the id of an API key, or 'jwt:' and the id of a token.
  origin       text           NOT NULL
);

CREATE INDEX sign_in_links_expires ON synap.sign_in_links (expires_at);

GRANT SELECT, INSERT, DELETE ON synap.sign_in_links TO synap_app;
