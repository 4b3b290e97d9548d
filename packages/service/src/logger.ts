import { asError } from "@synap/handlers/internal";
import { didYouMean, thrownFacts } from "@synap/types/internal";
import { type DestinationStream, type Logger, pino } from "pino";
import { ConfigurationError } from "./configuration.ts";

/** Fields that are not appended to a line, because it omits them or has them elsewhere. */
const OMITTED = new Set(["level", "time", "name", "msg", "err", "pid", "hostname"]);

/**
 * Formats one of pino's JSON records as a readable line: time, level, process, message and fields. An error's stack
 * follows on separate lines.
 */
export function formatRecord(json: string): string {
  const record: Record<string, unknown> = JSON.parse(json);
  const { level, time, name = "synap", msg = "", err } = record;
  const fields = Object.entries(record)
    .filter(([key]) => !OMITTED.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const label = (pino.levels.labels[Number(level)] ?? "info").padEnd(5);
  const stack = typeof err === "object" && err !== null && "stack" in err ? `\n${err.stack}` : "";
  return `${new Date(Number(time)).toISOString()} ${label} ${name}: ${msg}${fields.join("")}${stack}\n`;
}

/** Maximum length of an error's record. A longer one is replaced by a short description. */
const MAX_ERROR_RECORD = 500_000;

/**
 * Serialises any thrown value for a record. Pino's serializer throws for a frozen error, a getter that throws and a Proxy,
 * so that the logging code would fail, and it has no limit for nested errors.
 */
export function serializeError(thrown: unknown): unknown {
  if (thrown === undefined) return undefined;
  try {
    // Converted to JSON here, because a value that can't be converted would fail the whole record.
    const record = JSON.stringify(pino.stdSerializers.err(asError(thrown)));
    return record.length > MAX_ERROR_RECORD ? thrownFacts(thrown) : JSON.parse(record);
  } catch {
    return thrownFacts(thrown);
  }
}

const serializers = { err: serializeError };

const LEVELS = Object.keys(pino.levels.values).concat("silent");
const FORMATS = ["json", "pretty"];

/** Returns the value of a variable. @throws ConfigurationError when it is none of the choices */
function oneOf(choices: readonly string[], variable: string, value: string): string {
  if (choices.includes(value)) return value;
  throw new ConfigurationError(
    `${variable} is "${value}"${didYouMean(value, choices)}. It must be one of ${choices.join(", ")}.`,
  );
}

/**
 * Creates the log of a process, on standard output: readable lines on a terminal or with SYNAP_LOG_FORMAT=pretty, otherwise
 * (and with SYNAP_LOG_FORMAT=json) one JSON object a line, for log collectors.
 *
 * LOG_LEVEL is the minimum level: trace, debug, info (default), warn, error, fatal, silent.
 *
 * @param name the process name in records
 * @throws ConfigurationError when the level or the format is none of these
 */
export function createLogger(name: string, variables: NodeJS.ProcessEnv): Logger {
  const options = { name, level: oneOf(LEVELS, "LOG_LEVEL", variables["LOG_LEVEL"] || "info"), serializers };
  const format = oneOf(
    FORMATS,
    "SYNAP_LOG_FORMAT",
    variables["SYNAP_LOG_FORMAT"] || (process.stdout.isTTY ? "pretty" : "json"),
  );
  const output = openLogOutput(1);
  const toLine = format === "pretty" ? formatRecord : (record: string) => record;
  // Wrapped, because pino would wait for the output to be written before a process ends after "fatal".
  return pino(options, { write: (record: string) => output.write(toLine(record)) });
}

/**
 * Creates the log of a command: readable lines on standard error, because standard output has the result.
 *
 * @param level the minimum level: trace, debug, info, warn, error, fatal, silent
 * @throws ConfigurationError when it is none of these
 */
export function createCommandLogger(name: string, level: string): Logger {
  const output = openLogOutput(2);
  return pino(
    { name, level: oneOf(LEVELS, "LOG_LEVEL", level), serializers },
    { write: (record: string) => output.write(formatRecord(record)) },
  );
}

/** Maximum size of the buffer while the output can't be written. Further lines are dropped. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * Opens standard output (1) or standard error (2) for a log. If it can't be written, as on a full disk, log lines are lost, but
 * the process continues.
 */
function openLogOutput(descriptor: 1 | 2): DestinationStream {
  return pino
    .destination({ dest: descriptor, sync: true, maxLength: MAX_BUFFERED_BYTES })
    .on("error", () => {});
}
