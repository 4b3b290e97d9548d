-- What an actor did, latest first, where the user named in the event is not the actor: agents, the system, and users who act
-- for others. The other events of an actor are those of a user, which events_user finds. synap.audit_entries searches both.
--
-- By the negative position, because a plan that orders by it can't walk through all positions instead: with few actors in the
-- log, the planner expects to meet each of them soon, which is wrong for one who did little.
CREATE INDEX events_actor ON synap.events (created_by, (- "position")) WHERE created_by IS DISTINCT FROM 'user:' || user_id;
