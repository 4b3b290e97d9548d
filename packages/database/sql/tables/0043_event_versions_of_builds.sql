-- The versions of the event types when the build began, by name; types of version 1 are left out. Null for builds of before.
ALTER TABLE synap.projection_builds ADD COLUMN event_versions jsonb;
