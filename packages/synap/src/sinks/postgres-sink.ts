import { Socket } from "node:net";
import { readDatabaseUrl } from "@synap/database/internal";
import { defineSink, type EventsOf, type Sink, type SinkOptions } from "@synap/handlers";
import { DEFAULT_CALL_MS, namesOf } from "@synap/handlers/internal";
import type { EventTypeDefinition } from "@synap/types";
import pg from "pg";
import { openPostgres, type PostgresWrites } from "./postgres-connection.ts";

/** The definition of a read model in another PostgreSQL database. */
export interface PostgresSinkDefinition<
  Events extends readonly EventTypeDefinition[] | "all",
  Name extends string,
> extends SinkOptions<Name> {
  readonly events: Events;
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, or a function that gives it when the sink is opened. */
  readonly url: string | (() => string);
  /** The schema of the tables, which is the sink's alone. It is created. */
  readonly schema: string;
  /** SQL that creates the tables. It runs once, with the schema as the search path. */
  readonly tables: string;
  /**
   * Writes what follows from events, in the transaction that moves the checkpoint, with the schema as the search path. It is called
   * again with fewer events when one fails, after what it wrote has been undone.
   */
  apply(events: readonly EventsOf<Events>[], writes: PostgresWrites): Promise<void>;
}

/**
 * Defines a read model in another PostgreSQL database. The checkpoint is kept there and commits with the rows, so each event has its effect
 * once, whatever dies.
 *
 * @throws RangeError for a name of a schema that PostgreSQL would cut, and as `defineSink`
 * @example
 * export const reporting = postgresSink({
 *   name: "reporting",
 *   description: "Orders, for the reports of finance.",
 *   events: [orderPlaced],
 *   url: () => process.env.REPORTING_URL ?? "",
 *   schema: "orders",
 *   tables: "CREATE TABLE orders (id text PRIMARY KEY, total numeric NOT NULL)",
 *   async apply(events, { query }) {
 *     for (const { aggregateId, data } of events)
 *       await query("INSERT INTO orders VALUES ($1, $2)", [aggregateId, data.total]);
 *   },
 * });
 */
export function postgresSink<
  const Events extends readonly EventTypeDefinition[] | "all",
  const Name extends string,
>(definition: PostgresSinkDefinition<Events, Name>): Sink<Name> {
  const { name, events, url, schema, tables, timeoutMs = DEFAULT_CALL_MS } = definition;
  if (schema === "" || Buffer.byteLength(schema) > 63)
    throw new RangeError(`The schema of the sink "${name}" must have 1 to 63 bytes.`);
  return defineSink({
    ...definition,
    eventTypes: namesOf(events),
    promise: {
      destination: "PostgreSQL",
      ordered: true,
      transactional: true,
      idempotent: true,
      guarantee: "effectively once",
      keepsCheckpoint: true,
    },
    open: (signal) => {
      const socket = new Socket();
      const client = new pg.Client({
        ...readDatabaseUrl(typeof url === "function" ? url() : url, "The url of the sink"),
        application_name: `synap sink ${name}`.slice(0, 63),
        connectionTimeoutMillis: 10_000,
        keepAlive: true,
        stream: () => socket,
      });
      // Only events of these types are handed over, each checked against its schema when it was stored.
      const apply: Parameters<typeof openPostgres>[0]["apply"] = (stored, writes) =>
        definition.apply(stored as readonly EventsOf<Events>[], writes);
      return openPostgres({ client, socket, signal, timeoutMs, sink: name, schema, tables, apply });
    },
  });
}
