-- Adds the size of a row's JSON text to a total, so that a page can end before it fills the reader's memory. The size on
-- disk does not show it: a kilobyte of compressed data may be a hundred kilobytes of text, and a number such as 5e-324
-- takes ten bytes and prints as three hundred digits. Rows after the total has reached "budget" are not printed, to save
-- the cost.
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
