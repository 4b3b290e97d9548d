-- How much text the JSON of a page's rows becomes, added up row by row, so that a page can end before it fills the
-- memory of whoever reads it. What a row has on disk says little: a kilobyte of compressed data may be a hundred of text,
-- and a number such as 5e-324 takes ten bytes and is written out with three hundred digits. So the text is made and
-- measured, but only until "budget" is reached: what comes after that costs nothing.
CREATE OR REPLACE FUNCTION synap.add_printed_bytes(total bigint, data anyelement, metadata anyelement, budget integer)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
  IF total >= budget THEN
    RETURN total;
  END IF;
  RETURN total + pg_catalog.octet_length(data::text) + coalesce(pg_catalog.octet_length(metadata::text), 0);
END
$$;

REVOKE ALL ON FUNCTION synap.add_printed_bytes FROM PUBLIC;
