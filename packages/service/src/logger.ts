import { asError } from "@synap/handlers/internal";
import { thrownFacts } from "@synap/types/internal";
import { type DestinationStream, type Logger, pino } from "pino";

/** Fields that are left out of the line, or have a place of their own in it. */
const SILENT = new Set(["level", "time", "name", "msg", "err", "pid", "hostname"]);

/**
 * Turns one of pino's JSON records into the line that a person reads: time, level, who, message, and the fields
 * behind it. An error's stack follows on separate lines.
 */
export function formatRecord(json: string): string {
  const record: Record<string, unknown> = JSON.parse(json);
  const { level, time, name = "synap", msg = "", err } = record;
  const fields = Object.entries(record)
    .filter(([key]) => !SILENT.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const label = (pino.levels.labels[Number(level)] ?? "info").padEnd(5);
  const stack = typeof err === "object" && err !== null && "stack" in err ? `\n${err.stack}` : "";
  return `${new Date(Number(time)).toISOString()} ${label} ${name}: ${msg}${fields.join("")}${stack}\n`;
}

/** The longest record of an error; one that would be longer holds the error's facts only. */
const MAX_ERROR_RECORD = 500_000;

/**
 * What a record holds of anything that was thrown. Pino's own serializer throws for a frozen error, a getter that throws and
 * a Proxy, and then the code that logs fails; an error that holds many others it writes out whole.
 */
export function serializeError(thrown: unknown): unknown {
  if (thrown === undefined) return undefined;
  try {
    // Written here, because what can't be written would take the whole record along.
    const record = JSON.stringify(pino.stdSerializers.err(asError(thrown)));
    return record.length > MAX_ERROR_RECORD ? thrownFacts(thrown) : JSON.parse(record);
  } catch {
    return thrownFacts(thrown);
  }
}

const serializers = { err: serializeError };

/**
 * The log of a process, on standard output: readable lines on a terminal or with SYNAP_LOG_FORMAT=pretty, otherwise
 * (and with SYNAP_LOG_FORMAT=json) one JSON object a line, for whatever collects logs.
 *
 * LOG_LEVEL is the least important level that is shown: trace, debug, info (default), warn, error, fatal, silent.
 *
 * @param name the process, as its records name it
 * @throws Error when the level is none of these.
 */
export function createLogger(name: string, variables: NodeJS.ProcessEnv): Logger {
  const options = { name, level: variables["LOG_LEVEL"] || "info", serializers };
  const format = variables["SYNAP_LOG_FORMAT"] || (process.stdout.isTTY ? "pretty" : "json");
  const output = openLogOutput(1);
  const toLine = format === "pretty" ? formatRecord : (record: string) => record;
  // Not the output itself: before a process ends with "fatal", pino would wait until everything is written.
  return pino(options, { write: (record: string) => output.write(toLine(record)) });
}

/**
 * The log of a command: readable lines on standard error, so that standard output stays its result.
 *
 * @param level the least important level that is shown: trace, debug, info, warn, error, fatal, silent
 */
export function createCommandLogger(name: string, level: string): Logger {
  const output = openLogOutput(2);
  return pino(
    { name, level, serializers },
    { write: (record: string) => output.write(formatRecord(record)) },
  );
}

/** Up to so many bytes wait while nothing can be written; what comes then is dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Standard output (1) or standard error (2) for a log: when it can't be written, on a full disk for example, that costs lines
 * of the log and not the work that is logged.
 */
function openLogOutput(descriptor: 1 | 2): DestinationStream {
  return pino
    .destination({ dest: descriptor, sync: true, maxLength: MAX_WAITING_BYTES })
    .on("error", () => {});
}
