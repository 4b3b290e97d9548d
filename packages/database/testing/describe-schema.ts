import type { Database } from "../src/index.ts";

/**
 * Describes the schema of a database as text for `git diff`: tables, constraints, indexes, triggers, sequences, types,
 * views, functions and their grants, read from the catalogues. The same on both engines and editions. Without the bodies of
 * functions, which are in their files.
 */
export async function describeSchema(database: Database): Promise<string> {
  const rows = await database.asOwner((owner) => owner.query<{ line: string }>(LINES));
  return `-- Written by describeSchema: npx -y pnpm@12 --filter @synap/database schema\n${rows.map(({ line }) => line).join("\n")}\n`;
}

const LINES = `
  WITH spaces AS (
    SELECT n.oid, n.nspname, n.nspacl FROM pg_namespace AS n
     WHERE n.nspname IN ('synap', 'synap_read', 'synap_read_of_creator', 'synap_read_of_user', 'synap_visible')
  ), relations AS (
    SELECT c.oid, c.relkind, c.relacl, c.relowner, c.reloptions, format('%s.%s', s.nspname, c.relname) AS name
      FROM pg_class AS c JOIN spaces AS s ON s.oid = c.relnamespace
  ), routines AS (
    SELECT p.*, format('%s.%s(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name
      FROM pg_proc AS p JOIN spaces AS s ON s.oid = p.pronamespace
  ), grants AS (
    SELECT 'schema ' || s.nspname AS thing, g.grantee, g.privilege_type
      FROM spaces AS s CROSS JOIN LATERAL aclexplode(s.nspacl) AS g
    UNION ALL
    SELECT CASE r.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' ELSE 'table ' END || r.name,
           g.grantee, g.privilege_type
      FROM relations AS r CROSS JOIN LATERAL aclexplode(r.relacl) AS g
    UNION ALL
    SELECT 'table ' || r.name, g.grantee, g.privilege_type || ' (' || a.attname || ')'
      FROM relations AS r JOIN pg_attribute AS a ON a.attrelid = r.oid CROSS JOIN LATERAL aclexplode(a.attacl) AS g
    UNION ALL
    SELECT 'function ' || r.name, g.grantee, g.privilege_type
      FROM routines AS r
     CROSS JOIN LATERAL aclexplode(coalesce(r.proacl, acldefault('f', r.proowner))) AS g
  ), lines AS (
    SELECT CASE WHEN r.relkind = 'v' THEN 'view ' WHEN r.relkind = 'c' THEN 'type ' ELSE 'table ' END || r.name AS thing,
           1 AS part, a.attnum::integer AS place,
           concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), 'COLLATE ' || nullif(o.collname, 'default'),
                     CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                     CASE WHEN a.attidentity <> '' THEN 'IDENTITY' END,
                     'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)) AS line
      FROM relations AS r
      JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
      LEFT JOIN pg_collation AS o ON o.oid = a.attcollation
     WHERE r.relkind IN ('r', 'p', 'v', 'c')
    UNION ALL
    SELECT CASE r.relkind WHEN 'v' THEN 'view ' ELSE 'table ' END || r.name, 2, 0, 'with ' || array_to_string(r.reloptions, ', ')
      FROM relations AS r WHERE r.reloptions IS NOT NULL AND r.relkind IN ('r', 'v')
    UNION ALL
    SELECT 'table ' || r.name, 3, 0, 'constraint ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
      FROM relations AS r JOIN pg_constraint AS c ON c.conrelid = r.oid AND c.contype <> 'n'
    UNION ALL
    SELECT 'table ' || r.name, 4, 0, pg_get_indexdef(i.indexrelid)
      FROM relations AS r JOIN pg_index AS i ON i.indrelid = r.oid
     WHERE NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid)
    UNION ALL
    SELECT 'table ' || r.name, 5, 0, pg_get_triggerdef(t.oid)
      FROM relations AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid
     WHERE NOT t.tgisinternal AND t.tgname NOT LIKE 'ts\\_%'
    UNION ALL
    SELECT 'view ' || r.name, 6, 0, 'as ' || regexp_replace(pg_get_viewdef(r.oid), '\\s+', ' ', 'g')
      FROM relations AS r WHERE r.relkind = 'v'
    UNION ALL
    SELECT 'sequence ' || r.name, 1, 0, format('as %s increment %s', format_type(q.seqtypid, NULL), q.seqincrement)
      FROM relations AS r JOIN pg_sequence AS q ON q.seqrelid = r.oid
    UNION ALL
    SELECT 'function ' || r.name, 1, 0,
           concat_ws(' ', 'returns ' || pg_get_function_result(r.oid), l.lanname,
                     CASE r.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
                     CASE WHEN r.proisstrict THEN 'strict' END,
                     CASE r.proparallel WHEN 's' THEN 'parallel safe' END,
                     CASE WHEN r.prosecdef THEN 'security definer' END)
      FROM routines AS r JOIN pg_language AS l ON l.oid = r.prolang
    UNION ALL
    SELECT 'function ' || r.name, 2, c.place::integer, 'set ' || c.setting
      FROM routines AS r CROSS JOIN LATERAL unnest(r.proconfig) WITH ORDINALITY AS c(setting, place)
    UNION ALL
    SELECT g.thing, 7, 0,
           format('grant %s to %s', string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type COLLATE "C"),
                  coalesce(o.rolname, 'PUBLIC'))
      FROM grants AS g LEFT JOIN pg_roles AS o ON o.oid = g.grantee
     WHERE g.grantee = 0 OR o.rolname IN ('synap_app', 'synap_sql', 'synap_reader')
     GROUP BY g.thing, o.rolname
  ), headed AS (
    SELECT thing, part, place, '  ' || line AS line FROM lines
    UNION ALL
    SELECT DISTINCT thing, 0, 0, E'\\n' || thing FROM lines
  )
  SELECT line FROM headed ORDER BY thing COLLATE "C", part, place, line COLLATE "C"`;
