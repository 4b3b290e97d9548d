import { EXIT } from "./exit-codes.ts";

/**
 * Time within which another signal counts as a repetition of the first, in milliseconds. A terminal sends Ctrl-C to Synap
 * and to npm, and npm (npx, pnpm, tsx) sends it to Synap again.
 */
const SAME_SIGNAL_MS = 1_000;

/**
 * Calls `stop` once, on Ctrl-C or SIGTERM. A further signal exits at once with code 130. No accepted event depends on an
 * orderly shutdown.
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let since: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (since !== undefined) {
      if (performance.now() - since > SAME_SIGNAL_MS) process.exit(EXIT.interrupted);
      return;
    }
    since = performance.now();
    stop(signal);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/** Calls `stop` on Ctrl-C or SIGTERM and exits with 0, or with 1 if it failed. A second signal exits at once. */
export function endOnSignal(
  stop: (signal: NodeJS.Signals) => Promise<void>,
  onFailure: (error: unknown) => void,
): void {
  onStopSignal((signal) => {
    stop(signal).then(
      () => process.exit(EXIT.done),
      (error: unknown) => {
        onFailure(error);
        process.exit(EXIT.failed);
      },
    );
  });
}

/**
 * Returns a signal that Ctrl-C or SIGTERM aborts, for commands that report their result when they end early. A second
 * Ctrl-C or SIGTERM exits at once.
 */
export function abortOnSignal(): AbortSignal {
  const stop = new AbortController();
  onStopSignal(() => stop.abort());
  return stop.signal;
}
