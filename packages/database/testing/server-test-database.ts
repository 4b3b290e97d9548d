import { randomUUID } from "node:crypto";
import postgres, { type Sql } from "postgres";
import { migrate, openDatabase } from "../src/index.ts";
import { sqlState } from "../src/internal.ts";
import { templateKey } from "./template-key.ts";
import { type DatabaseContent, openTestDatabase, type TestDatabase } from "./test-database.ts";

/**
 * Creates a database on the server: a copy of a migrated one, or empty.
 * @param poolerUrl a pooler before the server, through which it is opened
 */
export async function createServerTestDatabase(
  adminUrl: string,
  content: DatabaseContent,
  poolerUrl: string | undefined,
): Promise<TestDatabase> {
  const name = `synap_test_${randomUUID().replaceAll("-", "")}`;
  await withAdmin(adminUrl, async (admin) => {
    const template = content === "empty" ? "template0" : await ensureTemplate(admin, adminUrl);
    await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    // A copy does not include the rights on the database.
    if (content === "migrated") {
      await admin.unsafe(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
      await admin.unsafe(`GRANT CONNECT ON DATABASE ${name} TO synap_app, synap_sql`);
    }
  });
  const directUrl = databaseUrl(adminUrl, name);
  const options = {
    ...(poolerUrl === undefined ? { url: directUrl } : { url: databaseUrl(poolerUrl, name), directUrl }),
    maxConnections: 5,
  };
  return openTestDatabase(options, () =>
    withAdmin(adminUrl, (admin) => admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  );
}

/** Creates the template once for each set of migrations, in one worker while the others wait. */
async function ensureTemplate(admin: Sql, adminUrl: string): Promise<string> {
  const name = `synap_template_${await templateKey("migrated")}`;
  await admin`SELECT pg_advisory_lock(83, 2)`;
  try {
    const [found] = await admin`SELECT datistemplate FROM pg_database WHERE datname = ${name}`;
    if (found?.["datistemplate"] === true) return name;
    // An interrupted run may have left an incomplete one.
    await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE template0`);
    const database = await openDatabase({ url: databaseUrl(adminUrl, name) });
    await migrate(database);
    await database.close();
    // TimescaleDB's background workers connect to every database that allows it, and a database in use can't be copied.
    await admin.unsafe(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    await admin`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = ${name}`;
    await admin.unsafe(`ALTER DATABASE ${name} WITH IS_TEMPLATE true`);
    return name;
  } finally {
    await admin`SELECT pg_advisory_unlock(83, 2)`;
  }
}

async function withAdmin<T>(adminUrl: string, work: (admin: Sql) => Promise<T>): Promise<T> {
  const admin = postgres(adminUrl, { max: 1, onnotice: () => {}, fetch_types: false });
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(admin);
      } catch (error) {
        // Another session is connected to the template, or is copying it.
        if (sqlState(error) !== "55006" || attempt === 20) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  } finally {
    await admin.end({ timeout: 5 });
  }
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}
