-- How much text the JSON of a page's rows becomes, added up row by row, so that a page can end before it fills the
-- memory of whoever reads it. What a row has on disk says little: a kilobyte of compressed data may be a hundred of text,
-- and a number such as 5e-324 takes ten bytes and is written out with three hundred digits. So the text is made and
-- measured, but only until "budget" is reached: what comes after that costs nothing.
CREATE FUNCTION synap.add_printed_bytes(total bigint, data anyelement, metadata anyelement, budget integer)
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

-- For use over a window that ends before the current row: the first row of a page then always belongs to it.
CREATE AGGREGATE synap.printed_bytes(data anyelement, metadata anyelement, budget integer) (
  sfunc = synap.add_printed_bytes,
  stype = bigint,
  initcond = '0'
);

REVOKE ALL ON FUNCTION synap.add_printed_bytes, synap.printed_bytes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.printed_bytes TO synap_app;
