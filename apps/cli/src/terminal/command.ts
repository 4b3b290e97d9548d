import { InvalidArgumentError } from "commander";

/**
 * How long another signal still counts as the first one, in milliseconds: the terminal sends Ctrl-C to Synap and to npm,
 * and npm (npx, pnpm, tsx) passes it on to Synap once more.
 */
const SAME_SIGNAL_MS = 1000;

/** Reads the value of a port option; 0 means any free port. */
export function portOption(value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535) throw new InvalidArgumentError("It must be a port, 0 to 65535.");
  return port;
}

/** Reads the value of a URL option. */
export function urlOption(value: string): string {
  if (!URL.canParse(value) || !/^https?:/.test(value))
    throw new InvalidArgumentError("It must be an http(s) URL.");
  return value;
}

/** Reads the value of a whole number option within limits. */
export function wholeOption(least: number, most: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < least || number > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return number;
  };
}

/**
 * On Ctrl-C or SIGTERM: stops in order and exits 0. A second Ctrl-C exits at once; what was accepted is safe anyway.
 */
export function endOnSignal(stop: () => Promise<void>): void {
  let since: number | undefined;
  const onSignal = () => {
    if (since !== undefined) {
      if (performance.now() - since > SAME_SIGNAL_MS) process.exit(130);
      return;
    }
    since = performance.now();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        printFailure(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/**
 * Aborted by Ctrl-C or SIGTERM, for commands that end early but still report what they did. A second Ctrl-C exits at
 * once.
 */
export function abortOnSignal(): AbortSignal {
  const stop = new AbortController();
  let since: number | undefined;
  const onSignal = () => {
    if (since !== undefined && performance.now() - since > SAME_SIGNAL_MS) process.exit(130);
    since ??= performance.now();
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return stop.signal;
}

/** Prints why a command failed: one sentence when the error was made for people, the whole stack otherwise. */
export function printFailure(error: unknown): void {
  console.error(error instanceof Error && "code" in error ? error.message : error);
}
