import { counted } from "@synap/types/internal";

/** Thrown when a projection's definition is invalid. */
export class ProjectionDefinitionError extends Error {
  readonly code = "PROJECTION_DEFINITION";
  override readonly name = "ProjectionDefinitionError";
  constructor(projection: string, reason: string) {
    super(`Projection "${projection}": ${reason}.`);
  }
}

/** Thrown when the definition of a version that was already built has changed: other tables, or another number of segments. */
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

/** Thrown when there is no such projection, or it has no build in the requested role. */
export class ProjectionNotFoundError extends Error {
  readonly code = "PROJECTION_NOT_FOUND";
  override readonly name = "ProjectionNotFoundError";
}

/** Thrown when the state of a projection does not allow the operation. Nothing was changed. */
export class ProjectionConflictError extends Error {
  readonly code = "PROJECTION_CONFLICT";
  override readonly name = "ProjectionConflictError";
}

/** Thrown for a run over the past, or for an aggregate as it was known, that would have to read or hold more than its caller allows. */
export class AsOfTooLongError extends Error {
  readonly code = "AS_OF_TOO_LONG";
  override readonly name = "AsOfTooLongError";
  constructor(name: string, limit: number, of: "log" | "aggregate" | "data" | "batches" = "log") {
    super(`${LIMITS[of](limit)} to fold "${name}" here. Run it in a process of your own.`);
  }
}

const LIMITS = {
  log: (limit: number) => `The log has more than ${counted(limit, "event")} up to then, too many`,
  aggregate: (limit: number) => `The aggregate has more than ${counted(limit, "event")}, too many`,
  data: (limit: number) => `The events up to then have more than ${counted(limit, "byte")} of data, too many`,
  batches: (limit: number) =>
    `In the order of validity the events make more than ${counted(limit, "batch", "batches")}, too many`,
};

/** Thrown for a read model whose past nothing keeps. Nothing was read. */
export class AsOfUnavailableError extends Error {
  readonly code = "AS_OF_UNAVAILABLE";
  override readonly name = "AsOfUnavailableError";
  constructor(readModel: string, reason: string, options?: ErrorOptions) {
    super(`The read model "${readModel}" can't be shown as it was: ${reason}.`, options);
  }
}

/** Thrown while another read of the past is under way. Nothing was read. */
export class AsOfBusyError extends Error {
  readonly code = "AS_OF_BUSY";
  override readonly name = "AsOfBusyError";
  constructor() {
    super("Another read of the past is under way in this process. One runs at a time.");
  }
}

/** Thrown when the new build lags or differs too much to become live. Nothing was changed. */
export class CutoverRefusedError extends Error {
  readonly code = "CUTOVER_REFUSED";
  override readonly name = "CutoverRefusedError";
  /** Number of events that the new build had not handled yet. */
  readonly lagEvents: number;
  /** Number of differing rows, if they were compared. */
  readonly difference: number | undefined;
  constructor(projection: string, reason: string, lagEvents: number, difference?: number) {
    super(`The new build of "${projection}" can't take over: ${reason}.`);
    this.lagEvents = lagEvents;
    this.difference = difference;
  }
}
