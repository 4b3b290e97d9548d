import { describeUnknownSettings } from "@synap/service/environment-names";
import { EXIT } from "@synap/service/exit-codes";
import { readTimestamp } from "@synap/types";
import { InvalidArgumentError, Option } from "commander";

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

/** Reads the value of an option that is a moment. */
export function momentOption(value: string): string {
  const reading = readTimestamp(value);
  if (reading.ok) return reading.text;
  throw new InvalidArgumentError("It must be a moment such as 2026-01-31T09:30:00Z.");
}

/** The option that names the data directory. */
export function dataOption(description: string): Option {
  return new Option("--data <dir>", description).env("SYNAP_DATA_DIR").default(".synap");
}

/** The option that names the application's config. */
export function configOption(): Option {
  return new Option("--config <file>", "the application's config")
    .env("SYNAP_CONFIG")
    .default(undefined, "synap.config.ts, .mts, .js or .mjs, if there is one");
}

/** Prints the reason of a failure: the message of an error made for people, the stack of any other. */
export function printFailure(error: unknown): void {
  console.error(error instanceof Error && "code" in error ? error.message : error);
}

/** Warns of environment variables that look like settings of Synap and aren't. */
export function warnOfUnknownSettings(): void {
  for (const warning of describeUnknownSettings(process.env)) console.error(`warning: ${warning}`);
}

let endsWithReader = false;

/** Lets a command that only reads end, without an error, when the reader of its output has gone: `synap streams read note 1 | head`. */
export function endWithReader(): void {
  endsWithReader = true;
}

/**
 * Drops output whose reader has gone. Work that has begun goes on and has its own exit code: `synap migrate | head` migrates
 * everything. See {@link endWithReader} for the others.
 */
export function outliveReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      if (endsWithReader) process.exit(EXIT.done);
    });
  }
}
