import { zodFaults } from "@synap/types/internal";
import { z } from "zod";
import { UsageError } from "./exit-codes.ts";

/** Thrown when environment variables are invalid or missing. The message names each of them with the reason. */
export class ConfigurationError extends UsageError {
  override readonly name = "ConfigurationError";
  override readonly code = "CONFIGURATION_INVALID";
}

const number = () =>
  z.coerce.number({ error: (issue) => (issue.code === "invalid_type" ? "must be a number" : undefined) });
const whole = (least: number, most: number) => number().int().min(least).max(most);

/** Schemas of the values of environment variables. */
export const variable = {
  text: z.string().trim().min(1),
  number,
  whole,
  port: whole(0, 65_535),
  flag: z.enum(["true", "false"], "must be true or false").transform((value) => value === "true"),
  token: z.string().regex(/^\S{16,}$/, "must have at least 16 characters and no space"),
  httpUrl: z.url({ protocol: /^https?$/, error: "must be an http(s) URL" }),
};

/** Schemas of the variables of every process that uses a database. */
export const databaseVariables = {
  SYNAP_DATABASE_CONNECTIONS: whole(1, 1_000).default(10),
  SYNAP_LOCK_TIMEOUT_MS: whole(0, 600_000).default(5_000),
};

/** The database settings of a process. */
export interface DatabaseConfiguration {
  /** Maximum number of connections to a database server, for reads and writes together (SYNAP_DATABASE_CONNECTIONS, default 10). */
  readonly databaseConnections: number;
  /** Lock timeout in the database, in milliseconds (SYNAP_LOCK_TIMEOUT_MS, default 5,000; 0: no limit). */
  readonly lockTimeoutMs: number;
}

/**
 * Reads environment variables. An empty one counts as unset, because compose files write unset variables that way.
 *
 * @param process name of the configured process for the error message, such as "API"
 * @throws ConfigurationError naming every invalid variable
 */
export function readVariables<Schema extends z.ZodObject>(
  process: string,
  schema: Schema,
  variables: NodeJS.ProcessEnv,
): z.output<Schema> {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given, { reportInput: true });
  if (parsed.success) return parsed.data;
  const lines = zodFaults(parsed.error.issues).map(({ path, reason }) => `${path}: ${reason}`);
  throw new ConfigurationError(`Invalid configuration of the ${process}:\n${lines.join("\n")}`);
}
