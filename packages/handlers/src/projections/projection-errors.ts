/** A projection's definition can't be right. */
export class ProjectionDefinitionError extends Error {
  readonly code = "PROJECTION_DEFINITION";
  override readonly name = "ProjectionDefinitionError";
  constructor(projection: string, reason: string) {
    super(`Projection "${projection}": ${reason}.`);
  }
}

/** A version that has been built says something else now: other tables, or another number of segments. */
export class ProjectionChangedError extends Error {
  readonly code = "PROJECTION_CHANGED";
  override readonly name = "ProjectionChangedError";
  constructor(projection: string, version: number, what: string) {
    super(
      `Version ${version} of projection "${projection}" ${what}. Give it a new version and rebuild it` +
        (what.includes("segments") ? ", or change the segments of the running build." : "."),
    );
  }
}

/** There is no projection of this name here, or no build of the wanted role. */
export class ProjectionNotFoundError extends Error {
  readonly code = "PROJECTION_NOT_FOUND";
  override readonly name = "ProjectionNotFoundError";
}

/** What was asked for can't be done now, and nothing was changed. */
export class ProjectionConflictError extends Error {
  readonly code = "PROJECTION_CONFLICT";
  override readonly name = "ProjectionConflictError";
}

/** The new build isn't near enough to the old one to take over. Nothing was changed. */
export class CutoverRefusedError extends Error {
  readonly code = "CUTOVER_REFUSED";
  override readonly name = "CutoverRefusedError";
  /** Events the new build had still to handle. */
  readonly lagEvents: number;
  /** Rows that differ, if they were compared. */
  readonly difference: number | undefined;
  constructor(projection: string, reason: string, lagEvents: number, difference?: number) {
    super(`The new build of "${projection}" can't take over: ${reason}.`);
    this.lagEvents = lagEvents;
    this.difference = difference;
  }
}
