-- Dead letters and parked events by the positions of their events: the state of one event, and lists of unprocessed events.
CREATE INDEX dead_letters_position ON synap.dead_letters ("position", status) WHERE "position" IS NOT NULL;

CREATE INDEX parked_events_position ON synap.parked_events ("position");
