import { Socket } from "node:net";
import pg from "pg";
import { asDatabaseError, DatabaseUnavailableError } from "./database-errors.ts";
import { readDatabaseUrl } from "./database-url.ts";
import type { SqlParameter } from "./sql-session.ts";
import { withLimit } from "./time-limit.ts";
import { isControlTag } from "./transaction-control.ts";
import { readerOf, writeParameter } from "./wire-types.ts";

/** How connections are made. */
export interface ConnectionOptions {
  readonly url: string;
  readonly applicationName: string;
  /** The settings that a session begins with, as `asStartupOptions` writes them. */
  readonly startupOptions?: string | undefined;
  /** Longest time to make a connection, in milliseconds. */
  readonly connectTimeout: number;
  /** Called when the server has not answered in time, and the connection was cut off. */
  readonly onSilence?: (() => void) | undefined;
}

/** A statement, and how to run it. */
export interface Statement {
  readonly text: string;
  readonly parameters: readonly SqlParameter[];
  /** The name under which the connection keeps it prepared. */
  readonly name?: string | undefined;
  /** Rows as lists of columns. */
  readonly rowMode?: "array" | undefined;
  /** Another reader of types than the usual one. */
  readonly readerOf?: ((type: number) => (text: string) => unknown) | undefined;
}

/** How long a server may take to hang up when it is asked to, in milliseconds. */
const GOODBYE = 1_000;

/** A connection to a server, which can be cut off when the server stops answering. */
export class ServerConnection extends pg.Client {
  readonly #socket: Socket;
  readonly #onSilence: (() => void) | undefined;
  #isLost = false;
  #controls = 0;

  constructor(options: ConnectionOptions) {
    const { url, applicationName, startupOptions, connectTimeout } = options;
    const socket = new Socket();
    const given = readDatabaseUrl(url);
    super({
      ...given,
      application_name: applicationName,
      options: [given.options, startupOptions].filter(Boolean).join(" "),
      connectionTimeoutMillis: connectTimeout,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
      // Statements that nobody waits for one by one travel together.
      pipeline: true,
      stream: () => socket,
    });
    this.#socket = socket;
    this.#onSilence = options.onSilence;
    this.connection.on("commandComplete", ({ text }: { readonly text: string }) => {
      if (isControlTag(text)) this.#controls += 1;
    });
    // What waits for an answer is rejected; the event itself would end the process if nobody listened.
    this.on("error", () => {
      this.#isLost = true;
    });
    this.on("end", () => {
      this.#isLost = true;
    });
  }

  /**
   * Runs one statement.
   * @param limit longest time to wait for the answer, in milliseconds: the connection is cut off then
   */
  run<Row extends object>(statement: Statement, limit: number | undefined): Promise<pg.QueryResult<Row>> {
    const { text, parameters, name, rowMode, readerOf: read = readerOf } = statement;
    const query = {
      text,
      values: parameters.map(writeParameter),
      // Also without parameters: the other protocol would take several statements.
      queryMode: "extended",
      types: { getTypeParser: read },
      ...(name !== undefined && { name }),
      ...(rowMode !== undefined && { rowMode }),
    };
    return this.#answered(this.query<Row>(query), limit);
  }

  /** How many statements have begun or ended a transaction or a savepoint, as the server reports it. */
  get controls(): number {
    return this.#controls;
  }

  /** Runs a script of several statements. */
  async script(text: string, limit: number | undefined): Promise<pg.QueryResult> {
    return this.#answered(this.query(text), limit);
  }

  /** Says goodbye to the server, and cuts off the connection if the server doesn't hang up. */
  async hangUp(): Promise<void> {
    this.#isLost = true;
    await withLimit(this.end(), GOODBYE).catch(() => {});
    this.#socket.destroy();
  }

  /** Ends the connection at once, without the server's consent; what waits for an answer is rejected. */
  cutOff(): void {
    this.#isLost = true;
    this.#socket.destroy();
  }

  #giveUp(): void {
    this.cutOff();
    this.#onSilence?.();
  }

  async #answered<T>(answer: Promise<T>, limit: number | undefined): Promise<T> {
    try {
      return await (limit === undefined ? answer : withLimit(answer, limit, () => this.#giveUp()));
    } catch (error) {
      if (!this.#isLost || error instanceof pg.DatabaseError) throw asDatabaseError(error);
      throw asUnavailable(error);
    }
  }
}

/** What happened to a connection, which is not always an error with a code. */
export function asUnavailable(error: unknown): DatabaseUnavailableError {
  if (error instanceof DatabaseUnavailableError) return error;
  const known = asDatabaseError(error);
  if (known instanceof DatabaseUnavailableError) return known;
  return new DatabaseUnavailableError(error instanceof Error ? error.message : "unknown", { cause: error });
}

/**
 * Makes a connection.
 * @throws DatabaseUnavailableError when the server can't be reached; what the server says when it refuses.
 */
export async function connect(connection: ServerConnection): Promise<void> {
  try {
    await connection.connect();
  } catch (error) {
    connection.cutOff();
    throw error instanceof pg.DatabaseError ? asDatabaseError(error) : asUnavailable(error);
  }
}

/** Runs work on a connection of its own. */
export async function withConnection<T>(
  options: ConnectionOptions,
  work: (connection: ServerConnection) => Promise<T>,
): Promise<T> {
  const connection = new ServerConnection(options);
  await connect(connection);
  try {
    return await work(connection);
  } finally {
    await connection.hangUp();
  }
}
