-- The sessions that an API key has begun, which end with it. The others stay out of the index when they have ended.
CREATE INDEX sessions_origin ON synap.sessions (origin) WHERE revoked_at IS NULL;
