-- Tables that are no projections. Handlers run as the role synap_app, which needs these rights.
CREATE SCHEMA shop;

CREATE TABLE shop.mails (
  event_id text PRIMARY KEY,
  recipient text NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA shop TO synap_app;
GRANT SELECT, INSERT ON shop.mails TO synap_app;
