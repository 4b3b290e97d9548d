import type { Database, Sessions, SqlParameter } from "../src/index.ts";

/** The same database, and a count of its transactions and of its statements outside of them, without the notifications of readers. */
export function countCalls(database: Database): {
  readonly database: Database;
  readonly calls: { count: number };
} {
  const calls = { count: 0 };
  const count = <Result>(run: () => Result): Result => {
    calls.count += 1;
    return run();
  };
  const writes: Sessions = {
    query: <Row extends object>(text: string, parameters?: readonly SqlParameter[]) => {
      const run = () => database.writes.query<Row>(text, parameters);
      return text.includes("pg_notify") ? run() : count(run);
    },
    transaction: (work) => count(() => database.writes.transaction(work)),
  };
  const counted: Database = Object.create(database, {
    writes: { value: writes },
    query: { value: writes.query },
    transaction: { value: writes.transaction },
  });
  return { database: counted, calls };
}
