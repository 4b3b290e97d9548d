import type { Transaction } from "@synap/database";

/** The context of a projection while it applies events. */
export interface ProjectionContext {
  /** The transaction of the append (inline), of the pass (async) or of the as-of run. What would end it is refused. */
  readonly transaction: Transaction;
  /**
   * Returns the full name of the table to write, which belongs to the current build. Never write to the view.
   *
   * @throws ProjectionDefinitionError when the projection has no such table.
   */
  table(name: string): string;
}
