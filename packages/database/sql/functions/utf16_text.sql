-- Writes a text in UTF-16 code units, for patterns that see half a surrogate pair as a character: each character beyond U+FFFF
-- becomes two, its halves, which are put at U+10D800 to U+10DFFF because text can't hold them. No other character of the result
-- is there.
CREATE OR REPLACE FUNCTION synap.utf16_text(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF octet_length(value) = length(value) OR value !~ E'[\\U00010000-\\U0010FFFF]' THEN
    RETURN value;
  END IF;
  RETURN (
    SELECT string_agg(
             CASE
               WHEN ascii(c.symbol) > 65535
                 THEN chr(x'10D800'::integer + (ascii(c.symbol) - 65536) / 1024)
                      || chr(x'10DC00'::integer + (ascii(c.symbol) - 65536) % 1024)
               ELSE c.symbol
             END, '' ORDER BY c.ordinal)
      FROM regexp_split_to_table(value, '') WITH ORDINALITY AS c(symbol, ordinal));
END
$$;

REVOKE ALL ON FUNCTION synap.utf16_text(text) FROM PUBLIC;
