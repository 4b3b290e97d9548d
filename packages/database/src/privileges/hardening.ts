/**
 * TimescaleDB's own functions that everybody may keep: they convert, measure or look something up, and its views need
 * them. What else its internal schemas hold is not for everybody, whatever a later version adds: `drop_chunk` and
 * `freeze_chunk` are among them, and look at no owner.
 */
const HARMLESS = `^(${[
  "cagg_get_bucket_function_info",
  "cagg_validate_query",
  "cagg_watermark",
  "cagg_watermark_materialized",
  "calculate_chunk_interval",
  "chunk_id_from_relid",
  "chunk_status",
  "chunks_local_size",
  "compressed_chunk_(local|remote)_stats",
  "extension_state",
  "generate_uuid",
  "get_[a-z_]+",
  "hypertable_local_size",
  "indexes_local_size",
  "interval_to_usec",
  "is_compressed_tid",
  "partialize_agg",
  "range_value_to_pretty",
  "relation_(approximate_)?size",
  "show_chunk",
  "subtract_integer_from_now",
  "time_to_internal",
  "to_[a-z_]+",
  "tsl_loaded",
].join("|")})$`;

/**
 * The functions and procedures of TimescaleDB that everybody may run and nobody should. Functions that are not volatile
 * change nothing; those of triggers can't be called; the documented ones (in the schema public) look at the owner. One of them does it too
 * late: "merge_chunks" of a table with itself ends the whole server (TimescaleDB 2.19).
 */
export const DANGEROUS_ROUTINES = `
    SELECT p.oid, p.oid::regprocedure::text AS signature
      FROM pg_catalog.pg_extension AS e
      JOIN pg_catalog.pg_depend AS d
        ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid
       AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e'
      JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
     WHERE e.extname = 'timescaledb'
       AND (n.nspname LIKE '\\_timescaledb\\_%' OR p.proname = 'merge_chunks')
       AND p.provolatile = 'v'
       AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
       AND p.proname !~ '${HARMLESS}'
       AND EXISTS (
         SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
          WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')`;

/** The tables that the log rests on, the chunks of events included, and who may change them besides their owner. */
export const WRITABLE_TABLES = `
    SELECT c.oid, c.oid::regclass::text AS name, a.grantee, string_agg(DISTINCT a.privilege_type, ', ') AS privileges
      FROM pg_catalog.pg_class AS c
     CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
     WHERE (c.oid IN (
              SELECT t.oid FROM pg_catalog.pg_class AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
               WHERE n.nspname = 'synap'
                 AND t.relname IN ('events', 'event_ids', 'idempotency_keys', 'streams', 'appends', 'migrations'))
            OR c.oid IN (
              SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i
                JOIN pg_catalog.pg_class AS t ON t.oid = i.inhparent
                JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
               WHERE n.nspname = 'synap' AND t.relname = 'events'))
       AND a.grantee <> c.relowner
       AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')
     GROUP BY c.oid, a.grantee`;

/**
 * One statement that takes from everybody what lets them harm the log: TimescaleDB's internal functions, connections of
 * logins without a role in this database, and rights to write the log's tables. It does what the login that runs it may
 * do and leaves out the rest, so a superuser runs it once for all. Repeatable, and needed again after `ALTER EXTENSION
 * timescaledb UPDATE`, which makes functions anew. Owners of hypertables keep the functions: their policies run as them.
 */
export const HARDENING_STATEMENT = `DO $hardening$
DECLARE
  finding record;
  keeper  name;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  FOR finding IN${DANGEROUS_ROUTINES}
  LOOP
    BEGIN
      FOR keeper IN
        SELECT DISTINCT r.rolname
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
          JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = n.nspname AND h.table_name = c.relname
      LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', finding.signature, keeper);
      END LOOP;
      EXECUTE pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', finding.signature);
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;
    END;
  END LOOP;

  -- The embedded engine is template1, takes no connections, and can't change a database's rights.
  IF pg_catalog.current_database() <> 'template1' THEN
  BEGIN
    EXECUTE pg_catalog.format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', pg_catalog.current_database());
    FOR keeper IN SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.rolname IN ('synap_app', 'synap_sql')
    LOOP
      EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), keeper);
    END LOOP;
  EXCEPTION WHEN insufficient_privilege THEN
    NULL;
  END;
  END IF;

  FOR finding IN${WRITABLE_TABLES}
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('REVOKE %s ON TABLE %s FROM %s', finding.privileges, finding.name,
        CASE WHEN finding.grantee = 0 THEN 'PUBLIC' ELSE finding.grantee::regrole::text END);
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;
    END;
  END LOOP;
END
$hardening$;`;
