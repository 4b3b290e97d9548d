-- Operators pause and resume sinks; the last one who did so is kept.
ALTER TABLE synap.sinks
  ADD COLUMN paused_at  timestamptz(3),
  ADD COLUMN changed_by text;
