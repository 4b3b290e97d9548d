-- For use over a window that ends before the current row: the first row of a page then always belongs to it.
CREATE OR REPLACE AGGREGATE synap.printed_bytes(data anyelement, metadata anyelement, budget integer) (
  sfunc = synap.add_printed_bytes,
  stype = bigint,
  initcond = '0'
);

REVOKE ALL ON FUNCTION synap.printed_bytes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.printed_bytes TO synap_app;
