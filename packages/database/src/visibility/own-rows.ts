import { sqlState } from "../connection/database-errors.ts";
import { openOrm, type RunStatement, runnerOf } from "../connection/orm.ts";
import type { Database, SqlParameter } from "../connection/sql-session.ts";
import type { TransactionMode } from "../connection/transaction-mode.ts";
import { type AsReader, readAsReader, readerMissing } from "./reader-transactions.ts";
import {
  type LimitedVisibility,
  type Visibility,
  VisibilityUnavailableError,
  visibleValue,
} from "./visibility.ts";

/** A session for reading tables. */
export type TableSession = Pick<Database, "query" | "orm">;

/** The schema of the views that show a table's rows of one user (by `userId`) or one actor (by `createdBy`). */
export const OWN_ROWS_SCHEMAS = { userId: "synap_read_of_user", createdBy: "synap_read_of_creator" } as const;

/** Thrown when a statement of a caller with a limited visibility reads something that has no owner. Nothing was read. */
export class RowsNotOwnedError extends Error {
  override readonly name = "RowsNotOwnedError";
  readonly code = "ROWS_NOT_OWNED";

  constructor(by: keyof typeof OWN_ROWS_SCHEMAS, cause: unknown) {
    super(
      `The read model reads a table whose rows are not marked with their ${OWNERS[by]}, or one outside synap_read. ` +
        `Read it with the scope read-all, or name the owner's column in the projection ("owner: { ${by}: ... }") ` +
        "and start a worker with it.",
      { cause },
    );
  }
}

const OWNERS = { userId: "user", createdBy: "agent or service" } as const;

/** The schema of read models in a statement: in drizzle's it is quoted. */
const READ_MODELS = /\bsynap_read(?="?\s*\.)/g;

/** The function that reads the audit log. */
const AUDIT_LOG = /\bsynap\.audit_entries\b/g;

/**
 * Returns a session that reads the rows of read models that a caller may see. With a limited visibility each statement runs in a
 * transaction as the role `synap_reader`, with the views of the caller's rows in place of those of `synap_read`, and the caller's own
 * entries in place of the audit log. The role has no right on any table: a statement that names one, or a read model without an owner, fails.
 *
 * Its statements throw RowsNotOwnedError, and VisibilityUnavailableError when the database has no role for it.
 *
 * @throws RangeError as `visibleValue`
 */
export function ownRows(database: Database, visibility: Visibility): TableSession {
  return "all" in visibility ? database : limitedSession(database, visibility);
}

function limitedSession(database: Database, visibility: LimitedVisibility): TableSession {
  const { of, value } = visibleValue(visibility);
  const by = of === "user" ? "userId" : "createdBy";
  const withViews = (text: string) =>
    text
      .replaceAll(READ_MODELS, OWN_ROWS_SCHEMAS[by])
      .replaceAll(AUDIT_LOG, `synap_visible.audit_entries_of_${of}`);

  const read = <T>(work: (asReader: AsReader) => Promise<T>, mode?: TransactionMode): Promise<T> =>
    readAsReader(database, value, work, mode).catch(async (error: unknown) => {
      throw await explain(database, by, error);
    });
  const runAs =
    (asReader: AsReader): RunStatement =>
    ({ name: _, text, ...statement }) =>
      asReader((own) => runnerOf(own.orm)({ ...statement, text: withViews(text) }));

  return {
    query: <Row extends object>(text: string, parameters?: readonly SqlParameter[]) =>
      read((asReader) => asReader((own) => own.query<Row>(withViews(text), parameters))),
    orm: openOrm(
      (statement) => read((asReader) => runAs(asReader)(statement)),
      (work, mode) => read((asReader) => work(runAs(asReader)), mode),
    ),
  };
}

/** True if the role may read every view of a schema. */
const HAS_RIGHTS = `
SELECT has_schema_privilege('synap_reader', n.oid, 'USAGE')
       AND NOT EXISTS (
         SELECT FROM pg_class AS c
          WHERE c.relnamespace = n.oid AND c.relkind = 'v' AND NOT has_table_privilege('synap_reader', c.oid, 'SELECT')
       ) AS "hasRights"
  FROM pg_namespace AS n WHERE n.nspname = $1`;

/** Returns the error that says what is missing: a right of the role, the owner of a table, or the table. */
async function explain(
  database: Database,
  by: keyof typeof OWN_ROWS_SCHEMAS,
  error: unknown,
): Promise<unknown> {
  if (error instanceof VisibilityUnavailableError) return error;
  const schema = OWN_ROWS_SCHEMAS[by];
  switch (sqlState(error)) {
    // insufficient_privilege
    case "42501": {
      const [row] = await database.query<{ hasRights: boolean }>(HAS_RIGHTS, [schema]);
      return row?.hasRights === true ? new RowsNotOwnedError(by, error) : readerMissing(database, error);
    }
    // undefined_table
    case "42P01": {
      // The name is in the message in every language.
      const name = /synap_read_of_\w+\.(\w+)/.exec(messageOf(error))?.[1] ?? "";
      const [row] = await database.query<{ exists: boolean }>(
        "SELECT to_regclass('synap_read.' || quote_ident($1)) IS NOT NULL AS exists",
        [name],
      );
      return row?.exists === true ? new RowsNotOwnedError(by, error) : error;
    }
    default:
      return error;
  }
}

function messageOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : "";
}
