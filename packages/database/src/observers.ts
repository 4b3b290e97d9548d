import { thrownFacts } from "@synap/types/internal";

/** A callback whose result nobody waits for. */
type Observer<Arguments extends unknown[]> = (...news: Arguments) => unknown;

/**
 * Calls an observer: a logger, an `onFailure`, an `onWaiting`. When it throws, or the promise that it
 * returns rejects, the caller continues and the process prints a warning (`ObserverError`): an append, a pass or a
 * subscription must not fail because its observer did.
 */
export function notify<Arguments extends unknown[]>(
  observer: Observer<Arguments> | undefined,
  ...news: Arguments
): void {
  if (observer === undefined) return;
  try {
    const result = observer(...news);
    if (isThenable(result)) result.then(undefined, warn);
  } catch (thrown) {
    warn(thrown);
  }
}

/** The logger of a part of Synap, for example pino. */
export interface ReportLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Wraps a logger so that its failures become warnings of the process. */
export function guardedLogger(logger: ReportLogger): ReportLogger {
  return {
    info: (fields, message) => notify(() => logger.info(fields, message)),
    warn: (fields, message) => notify(() => logger.warn(fields, message)),
    error: (fields, message) => notify(() => logger.error(fields, message)),
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

function warn(thrown: unknown): void {
  process.emitWarning(`a callback failed and was ignored: ${thrownFacts(thrown).message}`, "ObserverError");
}
