-- The events that an event caused. Only events that name a cause are in it, so an append of others costs no more.
CREATE INDEX events_causation ON synap.events (causation_id, "timestamp", "position") WHERE causation_id IS NOT NULL;
