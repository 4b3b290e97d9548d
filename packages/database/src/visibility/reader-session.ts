import { openOrm, type RunStatement, runnerOf } from "../connection/orm.ts";
import type { Database, SqlParameter, Transaction } from "../connection/sql-session.ts";
import type { TableSession } from "./own-rows.ts";
import { becomeReader } from "./reader-transactions.ts";
import { type Visibility, visibleValue } from "./visibility.ts";

/**
 * Makes the rest of a transaction read as the role `synap_reader`, with what a caller may see in `synap.visible_to`: empty for all.
 *
 * @param rewrite changes each statement before it runs
 * @throws VisibilityUnavailableError when the database has no role for it
 */
export async function readerSession(
  database: Pick<Database, "capabilities">,
  transaction: Transaction,
  visibility: Visibility,
  rewrite: (text: string) => string,
): Promise<TableSession> {
  await becomeReader(database, transaction, "all" in visibility ? "" : visibleValue(visibility).value);
  const run: RunStatement = ({ name: _, text, ...statement }) =>
    runnerOf(transaction.orm)({ ...statement, text: rewrite(text) });
  return {
    query: <Row extends object>(text: string, parameters?: readonly SqlParameter[]) =>
      transaction.query<Row>(rewrite(text), parameters),
    orm: openOrm(run, (work) => work(run)),
  };
}
