-- Returns the values of a list that break a rule of a plan (packages/database/src/check-plan). A rule does not concern values of
-- other kinds. Numbers are compared as doubles, as JavaScript does.
CREATE OR REPLACE FUNCTION synap.rule_issues(rule jsonb, vals jsonb[], paths text[], slots integer[])
RETURNS SETOF synap.check_issue
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  name     CONSTANT text := rule ->> 'is';
  bound    CONSTANT float8 := (rule ->> 'limit')::float8;
  pattern  CONSTANT text := rule ->> 'text';
  allowed  CONSTANT jsonb := coalesce(rule -> 'values', '[]');
  numbers  CONSTANT float8[] := ARRAY(
    SELECT v.value::float8 FROM jsonb_array_elements(allowed) AS v(value) WHERE jsonb_typeof(v.value) = 'number');
  is_utf16 CONSTANT boolean := rule ? 'utf16';
  is_whole CONSTANT boolean := rule ? 'whole';
BEGIN
  RETURN QUERY
  SELECT k.slot, k.path,
         CASE WHEN name = 'moment' THEN synap.timestamp_fault(k.text) ELSE rule ->> 'code' END,
         rule ->> 'reason', rule ? 'aborts', NULL::text
    FROM (
      SELECT u.slot, u.path, u.value, jsonb_typeof(u.value) AS kind,
             CASE WHEN jsonb_typeof(u.value) = 'string' THEN u.value #>> '{}' END AS text,
             CASE WHEN jsonb_typeof(u.value) = 'number' THEN u.value::float8 END AS number
        FROM unnest(vals, paths, slots) AS u(value, path, slot)
      OFFSET 0
    ) AS k
   WHERE CASE name
     WHEN 'min-size' THEN CASE k.kind WHEN 'string' THEN length(k.text) WHEN 'array' THEN jsonb_array_length(k.value) END < bound
     WHEN 'max-size' THEN CASE k.kind WHEN 'string' THEN length(k.text) WHEN 'array' THEN jsonb_array_length(k.value) END > bound
     WHEN 'pattern' THEN
       (CASE WHEN is_utf16 AND octet_length(k.text) <> length(k.text) THEN synap.utf16_text(k.text) ELSE k.text END) COLLATE "C"
         !~ pattern
     WHEN 'starts' THEN left(k.text, length(pattern)) COLLATE "C" <> pattern
     WHEN 'ends' THEN right(k.text, length(pattern)) COLLATE "C" <> pattern
     WHEN 'contains' THEN strpos(k.text COLLATE "C", pattern) = 0
     WHEN 'moment' THEN synap.timestamp_fault(k.text) IS NOT NULL
     WHEN 'whole' THEN k.number <> trunc(k.number)
     WHEN 'one-of' THEN CASE k.kind
       WHEN 'number' THEN k.number <> ALL (numbers)
       WHEN 'array' THEN true
       WHEN 'object' THEN true
       ELSE NOT allowed @> k.value
     END
     WHEN 'none-of' THEN CASE k.kind
       WHEN 'number' THEN k.number = ANY (numbers)
       WHEN 'array' THEN false
       WHEN 'object' THEN false
       ELSE allowed @> k.value
     END
     WHEN 'min-fields' THEN k.kind = 'object' AND (SELECT count(*) FROM jsonb_object_keys(k.value)) < bound
     WHEN 'max-fields' THEN k.kind = 'object' AND (SELECT count(*) FROM jsonb_object_keys(k.value)) > bound
     WHEN 'distinct' THEN k.kind = 'array' AND (
       SELECT count(*) > count(DISTINCT e.value) FROM jsonb_array_elements(k.value) AS e(value))
     ELSE
       (NOT is_whole OR k.number = trunc(k.number)) AND CASE name
         WHEN 'min' THEN k.number < bound
         WHEN 'above' THEN k.number <= bound
         WHEN 'max' THEN k.number > bound
         WHEN 'below' THEN k.number >= bound
         -- As Zod calculates it. A quotient that is nearly 0 could be too small for a double.
         WHEN 'multiple' THEN abs(k.number) >= abs(bound) * 1e-17
           AND abs(k.number / bound - round(k.number / bound)) >= 4 * 2.220446049250313e-16 * greatest(abs(k.number / bound), 1)
       END
   END;
END
$$;

REVOKE ALL ON FUNCTION synap.rule_issues(jsonb, jsonb[], text[], integer[]) FROM PUBLIC;
