-- Replaces the issues of the forms of a union or an intersection by those of its values; see synap.check_issues.
CREATE OR REPLACE FUNCTION synap.settle_choice(choice synap.check_choice, issues synap.check_issue[])
RETURNS SETOF synap.check_issue
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  kind       CONSTANT text := choice.kind;
  forms      CONSTANT integer := choice.forms;
  first_slot CONSTANT integer := choice.first_slot;
BEGIN
  RETURN QUERY
  WITH issue AS MATERIALIZED (
    SELECT i.*, (i.slot - first_slot) / forms + 1 AS ordinal
      FROM unnest(issues) AS i
     WHERE i.slot BETWEEN first_slot AND first_slot + forms * cardinality(choice.slots) - 1
  ), refusal AS (
    SELECT i.ordinal, i.slot, bool_or(i.aborts) AS aborts FROM issue AS i GROUP BY i.ordinal, i.slot
  ), refused AS (
    -- "near": the slot of the only form that a value nearly has, whose issues are then its own.
    SELECT r.ordinal, count(*) AS forms,
           CASE WHEN count(*) FILTER (WHERE NOT r.aborts) = 1 THEN min(r.slot) FILTER (WHERE NOT r.aborts) END AS near
      FROM refusal AS r
     GROUP BY r.ordinal
  ), judged AS (
    SELECT v.*, coalesce(r.forms, 0) AS refusals, r.near
      FROM unnest(choice.paths, choice.slots, choice.candidates) WITH ORDINALITY AS v(path, slot, candidates, ordinal)
      LEFT JOIN refused AS r ON r.ordinal = v.ordinal
  )
  SELECT i.slot, i.path, i.code, i.reason, i.aborts, i.parent
    FROM unnest(issues) AS i
   WHERE i.slot NOT BETWEEN first_slot AND first_slot + forms * cardinality(choice.slots) - 1
  UNION ALL
  SELECT j.slot, i.path, i.code, i.reason, i.aborts, i.parent
    FROM issue AS i
    JOIN judged AS j ON j.ordinal = i.ordinal
   WHERE CASE kind
     WHEN 'all' THEN i.parent IS DISTINCT FROM j.path
     WHEN 'any' THEN i.slot = j.near AND j.refusals = j.candidates
     ELSE false
   END
  UNION ALL
  -- An intersection refuses a field that all of its sides refuse by its name.
  SELECT j.slot, i.path, min(i.code), min(i.reason), bool_or(i.aborts), j.path
    FROM issue AS i
    JOIN judged AS j ON j.ordinal = i.ordinal
   WHERE kind = 'all' AND i.parent = j.path
   GROUP BY j.slot, j.path, i.path
  HAVING count(DISTINCT i.slot) = forms
  UNION ALL
  SELECT j.slot, j.path, 'no-match', 'has none of the forms that are allowed here', true, NULL
    FROM judged AS j
   WHERE CASE kind
     WHEN 'any' THEN j.refusals = j.candidates AND j.near IS NULL
     WHEN 'one' THEN j.candidates - j.refusals <> 1
     ELSE false
   END;
END
$$;

REVOKE ALL ON FUNCTION synap.settle_choice(synap.check_choice, synap.check_issue[]) FROM PUBLIC;
