import { Socket } from "node:net";
import pg from "pg";
import { asDatabaseError, DatabaseUnavailableError } from "../connection/database-errors.ts";
import type { Statement } from "../connection/sql-session.ts";
import { isControlTag } from "../connection/transaction-control.ts";
import { readerOf, writeParameter } from "../connection/wire-types.ts";
import { readDatabaseUrl } from "./database-url.ts";
import { withLimit } from "./time-limit.ts";

/** Options of a connection. */
export interface ConnectionOptions {
  readonly url: string;
  readonly applicationName: string;
  /** Initial settings of the session, as formatted by `asStartupOptions`. */
  readonly startupOptions?: string | undefined;
  /** Maximum time to connect, in milliseconds. */
  readonly connectTimeout: number;
  /** Called when the server did not answer in time and the connection was cut off. */
  readonly onSilence?: (() => void) | undefined;
}

/** Time that a server may take to close a connection on request, in milliseconds. */
const CLOSE_TIMEOUT_MS = 1_000;

/** A connection to a server, which can be cut off when the server stops answering. */
export class ServerConnection extends pg.Client {
  readonly #socket: Socket;
  readonly #onSilence: (() => void) | undefined;
  #isLost = false;
  #controls = 0;
  #announcedProcess: number | undefined;

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
      // Pipelines statements that are not awaited one by one.
      pipeline: true,
      stream: () => socket,
    });
    this.#socket = socket;
    this.#onSilence = options.onSilence;
    this.connection.on("commandComplete", ({ text }: { readonly text: string }) => {
      if (isControlTag(text)) this.#controls += 1;
    });
    this.connection.on("backendKeyData", ({ processID }: { readonly processID: number }) => {
      this.#announcedProcess = processID;
    });
    // Waiting calls are rejected; without a listener the event itself would end the process.
    this.on("error", () => {
      this.#isLost = true;
    });
    this.on("end", () => {
      this.#isLost = true;
    });
  }

  /**
   * Runs one statement.
   * @param limit maximum time to wait for the answer, in milliseconds, after which the connection is cut off
   */
  run<Row extends object>(statement: Statement, limit: number | undefined): Promise<pg.QueryResult<Row>> {
    const { text, parameters, name, rowMode, readerOf: read = readerOf } = statement;
    const query = {
      text,
      values: parameters.map(writeParameter),
      // Also without parameters, because the simple protocol would accept several statements.
      queryMode: "extended",
      types: { getTypeParser: read },
      ...(name !== undefined && { name }),
      ...(rowMode !== undefined && { rowMode }),
    };
    return this.#answered(this.query<Row>(query), limit);
  }

  /** Number of statements that began or ended a transaction or a savepoint, as reported by the server. */
  get controls(): number {
    return this.#controls;
  }

  /**
   * True if statements don't run in the process that answered the connection's start: a pooler is in between, which invents the
   * process id that it announces, or passes the connection on to a server's session for each transaction.
   */
  async isPooled(limit: number | undefined): Promise<boolean> {
    const asked = { text: "SELECT pg_catalog.pg_backend_pid() AS pid", parameters: [] };
    const { rows } = await this.run<{ pid: number }>(asked, limit);
    return rows[0]?.pid !== this.#announcedProcess;
  }

  /** Runs a script of several statements. */
  async script(text: string, limit: number | undefined): Promise<pg.QueryResult> {
    return this.#answered(this.query(text), limit);
  }

  /** Closes the connection, and cuts it off if the server doesn't close its side. */
  async close(): Promise<void> {
    this.#isLost = true;
    await withLimit(this.end(), CLOSE_TIMEOUT_MS).catch(() => {});
    this.#socket.destroy();
  }

  /** Cuts the connection off at once; waiting calls are rejected. */
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

/** Converts the failure of a connection, which is not always an error with a code. */
export function asUnavailable(error: unknown): DatabaseUnavailableError {
  if (error instanceof DatabaseUnavailableError) return error;
  const known = asDatabaseError(error);
  if (known instanceof DatabaseUnavailableError) return known;
  return new DatabaseUnavailableError(error instanceof Error ? error.message : "unknown", { cause: error });
}

/**
 * Opens a connection.
 * @throws DatabaseUnavailableError when the server can't be reached; the server's error when it refuses.
 */
export async function connect(connection: ServerConnection): Promise<void> {
  try {
    await connection.connect();
  } catch (error) {
    connection.cutOff();
    throw error instanceof pg.DatabaseError ? asDatabaseError(error) : asUnavailable(error);
  }
}

/** Runs work on a separate connection. */
export async function withConnection<T>(
  options: ConnectionOptions,
  work: (connection: ServerConnection) => Promise<T>,
): Promise<T> {
  const connection = new ServerConnection(options);
  await connect(connection);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}
