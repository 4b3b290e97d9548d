/**
 * How long another signal still counts as the first one, in milliseconds: the terminal sends Ctrl-C to Synap and to npm,
 * and npm (npx, pnpm, tsx) passes it on to Synap once more.
 */
const SAME_SIGNAL_MS = 1_000;

/** The exit code of a process that a second Ctrl-C ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

/**
 * Calls `stop` on Ctrl-C or SIGTERM, once. A further signal ends the process at once, with exit code 130: what was accepted is
 * safe anyway.
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let since: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (since !== undefined) {
      if (performance.now() - since > SAME_SIGNAL_MS) process.exit(INTERRUPTED);
      return;
    }
    since = performance.now();
    stop(signal);
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/** Stops in order on Ctrl-C or SIGTERM and exits 0, or 1 when stopping failed. A second signal exits at once. */
export function endOnSignal(
  stop: (signal: NodeJS.Signals) => Promise<void>,
  onFailure: (error: unknown) => void,
): void {
  onStopSignal((signal) => {
    stop(signal).then(
      () => process.exit(0),
      (error: unknown) => {
        onFailure(error);
        process.exit(1);
      },
    );
  });
}

/**
 * Aborted by Ctrl-C or SIGTERM, for commands that end early but still report what they did. A second signal exits at once.
 */
export function abortOnSignal(): AbortSignal {
  const stop = new AbortController();
  onStopSignal(() => stop.abort());
  return stop.signal;
}
