import { type Logger, pino } from "pino";
import { z } from "zod";

const recordSchema = z.looseObject({
  level: z.number(),
  time: z.number(),
  name: z.string().optional(),
  msg: z.string().optional(),
  err: z.looseObject({ stack: z.string().optional() }).optional(),
});

/** Fields that every record has and nobody wants to read. */
const SILENT = new Set(["level", "time", "name", "msg", "err", "pid", "hostname"]);

/**
 * Turns one of pino's JSON records into the line that a person reads: time, level, who, what, and the fields
 * behind it. An error's stack follows on lines of its own.
 */
export function formatRecord(json: string): string {
  const record = recordSchema.parse(JSON.parse(json));
  const fields = Object.entries(record)
    .filter(([key]) => !SILENT.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const level = (pino.levels.labels[record.level] ?? "info").padEnd(5);
  const head = `${new Date(record.time).toISOString()} ${level} ${record.name ?? "synap"}: ${record.msg ?? ""}`;
  const stack = record.err?.stack === undefined ? "" : `\n${record.err.stack}`;
  return `${head}${fields.join("")}${stack}\n`;
}

/**
 * The log of a process: readable lines on standard output.
 *
 * @param name who speaks
 * @param level the least important level that is shown (LOG_LEVEL): trace, debug, info, warn, error, fatal, silent
 * @throws Error when the level is none of these.
 */
export function createLogger(name: string, level = "info"): Logger {
  return pino({ name, level }, { write: (record: string) => process.stdout.write(formatRecord(record)) });
}
