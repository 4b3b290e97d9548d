-- Returns the code of the reason why JavaScript would change a JSON number; null when it would not.
CREATE OR REPLACE FUNCTION synap.number_fault(value numeric) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
AS $$
  SELECT CASE
    WHEN abs(value) > 1.7976931348623157e308 THEN 'non-finite-number'
    WHEN value = trunc(value) AND abs(value) > 9007199254740991 THEN 'unsafe-integer'
    WHEN value = 0 THEN NULL
    WHEN abs(value) < 4.9e-324 THEN 'inexact-number'
    -- The shortest text of a double, or the 17 digits that some programs print.
    WHEN value::float8::text::numeric = value THEN NULL
    WHEN length(trim(BOTH '0' FROM translate(value::text, '-.', ''))) <= 17 THEN NULL
    ELSE 'inexact-number'
  END
$$;

REVOKE ALL ON FUNCTION synap.number_fault(numeric) FROM PUBLIC;
