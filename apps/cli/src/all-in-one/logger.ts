import { formatRecord, openLogOutput } from "@synap/worker";
import { type Logger, pino } from "pino";

/**
 * The log of a command: readable lines on standard error, so that standard output stays its result.
 *
 * @param level the least important level that is shown: trace, debug, info, warn, error, fatal, silent
 */
export function createLogger(name: string, level: string): Logger {
  const output = openLogOutput(2);
  return pino({ name, level }, { write: (record: string) => output.write(formatRecord(record)) });
}
