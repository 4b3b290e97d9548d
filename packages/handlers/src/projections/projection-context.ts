import type { Transaction } from "@synap/database";

/** What a projection may use while it applies events. */
export interface ProjectionContext {
  /** The transaction of the append (inline), of the pass (async) or of the as-of run. Never commit or roll back in it. */
  readonly transaction: Transaction;
  /**
   * The full name of the table to write: that of the build which is being fed. Never write the view.
   *
   * @throws ProjectionDefinitionError when the projection has no such table.
   */
  table(name: string): string;
}
