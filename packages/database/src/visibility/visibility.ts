/**
 * The rows that a caller may read: every one, those of a user (`userId`), or those of an actor (`createdBy`, as in
 * `agent:planner`). An event is a user's if it carries his id; a stream is a user's if its first event does.
 */
export type Visibility =
  | { readonly all: true }
  | { readonly userId: string }
  | { readonly createdBy: string };

/** The visibility of a caller who may not read every row. */
export type LimitedVisibility = Exclude<Visibility, { readonly all: true }>;

/**
 * Returns the one value that the rows of a limited visibility have, and the column that has it.
 * @throws RangeError for an empty value, for two values at once, and for a user as the actor: what he sees carries his id
 */
export function visibleValue(visibility: LimitedVisibility): {
  readonly of: "user" | "creator";
  readonly value: string;
} {
  const { userId, createdBy }: { userId?: string; createdBy?: string } = visibility;
  const value = userId ?? createdBy;
  if (value === undefined || value === "" || (userId !== undefined && createdBy !== undefined)) {
    throw new RangeError("A visibility names one user or one actor, or { all: true }.");
  }
  if (createdBy?.startsWith("user:")) {
    throw new RangeError("A visibility names a user by userId: createdBy is for agents and services.");
  }
  return { of: userId === undefined ? "creator" : "user", value };
}

/** The fields of an event by which it is visible or not. */
export interface OwnerFields {
  readonly userId?: string | null | undefined;
  readonly createdBy?: string | null | undefined;
}

/** True if an event with these fields is visible. @throws RangeError as `visibleValue` */
export function isVisible({ userId, createdBy }: OwnerFields, visibility: Visibility): boolean {
  if ("all" in visibility) return true;
  const { of, value } = visibleValue(visibility);
  return (of === "user" ? userId : createdBy) === value;
}

/** The schemas whose views show the rows of a user or an actor. */
const VISIBLE = "synap_visible, synap_read_of_user, synap_read_of_creator";

/** Thrown when this database can't show some rows only, because the role for that is missing. Nothing was read. */
export class VisibilityUnavailableError extends Error {
  override readonly name = "VisibilityUnavailableError";
  readonly code = "VISIBILITY_UNAVAILABLE";
  /** The statements that an administrator has to run in this database. */
  readonly statements: readonly string[];

  constructor(postgres16: boolean, options?: ErrorOptions) {
    const statements = [
      "CREATE ROLE synap_reader NOLOGIN",
      `GRANT synap_reader TO synap_app${postgres16 ? " WITH SET TRUE, INHERIT FALSE" : ""}`,
      `GRANT USAGE ON SCHEMA synap, ${VISIBLE} TO synap_reader`,
      `GRANT SELECT ON ALL TABLES IN SCHEMA ${VISIBLE} TO synap_reader`,
      "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA synap_visible TO synap_reader",
      "GRANT EXECUTE ON FUNCTION synap.printed_bytes TO synap_reader",
    ];
    super(
      "This database can't show the rows of one user only: the role synap_reader is missing or lacks its rights. " +
        `An administrator runs, leaving out what exists: ${statements.join("; ")}`,
      options,
    );
    this.statements = statements;
  }
}
