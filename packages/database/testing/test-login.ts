import { randomUUID } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { serverUrl, type TestDatabase } from "./test-database.ts";

/** A login of one test on the server, which may connect to its database. */
export interface TestLogin {
  readonly name: string;
  readonly url: string;
  /** One connection as this login. It ends with `drop`. */
  readonly session: Sql;
  drop(): Promise<void>;
}

/**
 * Creates a login with a unique name.
 *
 * @param role the role that it is a member of; default none
 */
export async function createTestLogin(test: TestDatabase, role?: string): Promise<TestLogin> {
  const name = `synap_test_login_${randomUUID().replaceAll("-", "").slice(0, 12)}`;
  const url = new URL(serverUrl(test));
  const database = url.pathname.slice(1);
  await test.database.asOwner((owner) =>
    owner.execute(`
      CREATE ROLE ${name} LOGIN PASSWORD 'secret';
      GRANT CONNECT ON DATABASE ${database} TO ${name};
      ${role === undefined ? "" : `GRANT ${role} TO ${name};`}`),
  );
  url.username = name;
  url.password = "secret";
  const session = postgres(url.href, { max: 1, fetch_types: false, onnotice: () => {} });
  return {
    name,
    url: url.href,
    session,
    drop: async () => {
      await session.end({ timeout: 0 });
      await test.database.asOwner(async (owner) => {
        await owner.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = $1", [
          name,
        ]);
        await owner.execute(`DROP OWNED BY ${name}; DROP ROLE ${name};`);
      });
    },
  };
}
