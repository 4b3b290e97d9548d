-- Size of the rows' JSON text. Use it over a window that ends before the current row, so that a page has at least one row.
CREATE OR REPLACE AGGREGATE synap.printed_bytes(data anyelement, metadata anyelement, budget integer) (
  sfunc = synap.add_printed_bytes,
  stype = bigint,
  initcond = '0'
);

REVOKE ALL ON FUNCTION synap.printed_bytes FROM PUBLIC;
GRANT EXECUTE ON FUNCTION synap.printed_bytes TO synap_app;
SELECT synap.grant_to_reader('EXECUTE', 'FUNCTION synap.printed_bytes');
