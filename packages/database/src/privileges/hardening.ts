/**
 * TimescaleDB's own functions that PUBLIC may keep: they convert, measure or look something up, and its views need
 * them. PUBLIC loses every other function of its internal schemas, whatever a later version adds: `drop_chunk` and
 * `freeze_chunk` are among them and check no owner.
 */
const ALLOWED_FUNCTIONS = `^(${[
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
 * The functions and procedures of TimescaleDB that PUBLIC may execute and should not. Functions that are not volatile
 * change nothing; trigger functions can't be called; the documented ones (in the schema public) check the owner. One of
 * them does so too late: "merge_chunks" of a table with itself crashes the server (TimescaleDB 2.19).
 */
export const DANGEROUS_ROUTINES = `
    SELECT f.oid, f.oid::regprocedure::text AS signature
      FROM (
        SELECT p.oid, p.proname
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
           AND EXISTS (
             SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
              WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
        -- Few are left here, so that few names are compared.
        OFFSET 0
      ) AS f
     WHERE f.proname !~ '${ALLOWED_FUNCTIONS}'`;

/**
 * The tables that the log rests on, the chunks of events included, and the sequence of its positions: who may change
 * them besides their owner, as a whole or in single columns. Looks up the chunks only, not every table of the database.
 */
export const WRITABLE_TABLES = `
    SELECT w.oid, w.oid::regclass::text AS name, w.kind, w.grantee, string_agg(DISTINCT w.privilege, ', ') AS privileges
      FROM (
        WITH log AS MATERIALIZED (
          SELECT c.oid, c.relname, c.relkind, c.relacl, c.relowner
            FROM pg_catalog.pg_class AS c
           WHERE c.relnamespace = (SELECT n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'synap')
             AND c.relname IN ('events', 'event_ids', 'idempotency_keys', 'streams', 'appends', 'migrations', 'append_sequence',
                               'chain_blocks', 'chain_end', 'chained_chunks')
        ), chunks AS MATERIALIZED (
          SELECT i.inhrelid AS oid FROM log JOIN pg_catalog.pg_inherits AS i ON i.inhparent = log.oid
           WHERE log.relname = 'events'
        )
        SELECT log.oid, CASE log.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, a.grantee,
               a.privilege_type AS privilege
          FROM log CROSS JOIN LATERAL pg_catalog.aclexplode(log.relacl) AS a
         WHERE a.grantee <> log.relowner
        UNION ALL
        SELECT c.oid, 'TABLE', a.grantee, a.privilege_type
          FROM chunks JOIN pg_catalog.pg_class AS c ON c.oid = chunks.oid
         CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
         WHERE a.grantee <> c.relowner
        UNION ALL
        SELECT log.oid, 'TABLE', a.grantee, pg_catalog.format('%s (%I)', a.privilege_type, t.attname)
          FROM log JOIN pg_catalog.pg_attribute AS t ON t.attrelid = log.oid AND t.attacl IS NOT NULL
         CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS a
         WHERE a.grantee <> log.relowner
      ) AS w
     WHERE w.privilege !~ '^SELECT'
     GROUP BY w.oid, w.kind, w.grantee`;

/**
 * One statement that revokes every right by which others could damage the log: TimescaleDB's internal functions, connections of
 * logins without a role in this database, functions and operators of theirs in a schema that sessions search, and rights
 * to write the log's tables. It does what the login that runs it may
 * do and leaves out the rest, so a superuser runs it once for all. Repeatable, and needed again after `ALTER EXTENSION
 * timescaledb UPDATE`, which recreates functions. Owners of hypertables keep the functions, because their policies run as them.
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
    FOR keeper IN SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.rolname IN ('synap_app', 'synap_sql', 'synap_sql_own')
    LOOP
      EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), keeper);
    END LOOP;
  EXCEPTION WHEN insufficient_privilege THEN
    NULL;
  END;
  END IF;

  IF pg_catalog.has_schema_privilege('public', 'public', 'CREATE') THEN
  BEGIN
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  EXCEPTION WHEN insufficient_privilege THEN
    NULL;
  END;
  END IF;

  FOR finding IN${WRITABLE_TABLES}
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('REVOKE %s ON %s %s FROM %s CASCADE', finding.privileges, finding.kind, finding.name,
        CASE WHEN finding.grantee = 0 THEN 'PUBLIC' ELSE finding.grantee::regrole::text END);
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;
    END;
  END LOOP;
END
$hardening$;`;
