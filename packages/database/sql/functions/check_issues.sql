-- Checks values against a plan (packages/database/src/check-plan/check-plan.ts says what its nodes can hold). Returns the issues
-- that Zod reports for the schema, each with the index of its value, from 1.
--
-- All values that one node concerns at one depth are checked together, so the number of queries grows with the schema and the
-- depth of the data, not with the number of values. A list of tasks takes the place of recursion, for which the stack of the
-- embedded engine is too small.
CREATE OR REPLACE FUNCTION synap.check_issues(plan jsonb, vals jsonb[], paths text[])
RETURNS TABLE (at integer, path text, code text, reason text)
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  tasks     synap.check_task[] := ARRAY[
    ROW(0, vals, paths, ARRAY(SELECT generate_series(1, cardinality(vals))))::synap.check_task];
  task      synap.check_task;
  choices   synap.check_choice[] := '{}';
  issues    synap.check_issue[] := '{}';
  next_slot integer := cardinality(vals) + 1;
  n         jsonb;
  rule      jsonb;
  kinds     text[];
BEGIN
  WHILE cardinality(tasks) > 0 LOOP
    task := tasks[cardinality(tasks)];
    tasks := trim_array(tasks, 1);
    n := plan -> task.node;
    IF n ? 'kinds' THEN
      kinds := ARRAY(SELECT jsonb_array_elements_text(n -> 'kinds'));
      issues := issues || ARRAY(
        SELECT ROW(u.slot, u.path, coalesce(n ->> 'code', 'wrong-type'),
                   format('must be %s, not %s', n ->> 'what', jsonb_typeof(u.value)), true, NULL)::synap.check_issue
          FROM unnest(task.vals, task.paths, task.slots) AS u(value, path, slot)
         WHERE jsonb_typeof(u.value) <> ALL (kinds));
    END IF;
    IF n ? 'rules' THEN
      FOR rule IN SELECT r.rule FROM jsonb_array_elements(n -> 'rules') AS r(rule) LOOP
        issues := issues || ARRAY(
          SELECT i FROM synap.rule_issues(rule, task.vals, task.paths, task.slots) AS i
           WHERE NOT (rule ? 'last' AND (i.slot, i.path) IN (SELECT e.slot, e.path FROM unnest(issues) AS e)));
      END LOOP;
    END IF;
    IF n ? 'properties' THEN
      issues := issues || ARRAY(SELECT i FROM synap.field_issues(plan, n, task.vals, task.paths, task.slots) AS i);
      tasks := tasks || ARRAY(SELECT t FROM synap.field_tasks(plan, n, task.vals, task.paths, task.slots) AS t);
    END IF;
    IF n ? 'items' OR n ? 'tuple' THEN
      issues := issues || ARRAY(SELECT i FROM synap.item_issues(n, task.vals, task.paths, task.slots) AS i);
      tasks := tasks || ARRAY(SELECT t FROM synap.item_tasks(plan, n, task.vals, task.paths, task.slots) AS t);
    END IF;
    IF n ? 'nullable' THEN
      tasks := tasks || ARRAY(
        SELECT ROW((n ->> 'nullable')::integer, k.vals, k.paths, k.slots)::synap.check_task
          FROM (SELECT array_agg(u.value) AS vals, array_agg(u.path) AS paths, array_agg(u.slot) AS slots
                  FROM unnest(task.vals, task.paths, task.slots) AS u(value, path, slot)
                 WHERE jsonb_typeof(u.value) <> 'null') AS k
         WHERE k.vals IS NOT NULL);
    END IF;
    IF n ? 'route' THEN
      issues := issues || ARRAY(SELECT i FROM synap.route_issues(n -> 'route', task.vals, task.paths, task.slots) AS i);
      tasks := tasks || ARRAY(SELECT t FROM synap.route_tasks(n -> 'route', task.vals, task.paths, task.slots) AS t);
    END IF;
    IF n ? 'forms' THEN
      choices := choices || ROW(
        n ->> 'choice', next_slot, jsonb_array_length(n -> 'forms'),
        ARRAY(SELECT jsonb_array_length(n -> 'candidates' -> jsonb_typeof(u.value))
                FROM unnest(task.vals) WITH ORDINALITY AS u(value, ordinal) ORDER BY u.ordinal),
        task.paths, task.slots)::synap.check_choice;
      tasks := tasks || ARRAY(SELECT t FROM synap.form_tasks(n, task.vals, task.paths, next_slot) AS t);
      next_slot := next_slot + jsonb_array_length(n -> 'forms') * cardinality(task.vals);
    END IF;
  END LOOP;

  -- A union inside of a form was met after the union around it.
  FOR place IN REVERSE cardinality(choices) .. 1 LOOP
    issues := ARRAY(SELECT i FROM synap.settle_choice(choices[place], issues) AS i);
  END LOOP;
  RETURN QUERY SELECT i.slot, i.path, i.code, i.reason FROM unnest(issues) AS i;
END
$$;

REVOKE ALL ON FUNCTION synap.check_issues(jsonb, jsonb[], text[]) FROM PUBLIC;
