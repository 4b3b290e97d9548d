import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../open-database.ts";
import { explainRefusal, readDatabaseUrl } from "./database-url.ts";

const server = process.env["TEST_DATABASE_URL"];

describe("a DATABASE_URL that names no database", () => {
  it.each([
    ["127.0.0.1:5432/synap", 'it does not begin with "postgres://"'],
    ["", 'it does not begin with "postgres://"'],
    ["mysql://root:secret@127.0.0.1/synap", 'it begins with "mysql://"'],
    ["postgres://synap:se#cret@127.0.0.1/synap", "a character / ? or # that is not percent-encoded"],
    ["postgres://synap:12/secret@127.0.0.1:5432/synap", "a character / ? or # that is not percent-encoded"],
    ["postgres://synap:12?secret@127.0.0.1/synap", "a character / ? or # that is not percent-encoded"],
    ["postgres://synap:12#secret@127.0.0.1/synap", "a character / ? or # that is not percent-encoded"],
    ["postgres://synap:p@secret/w#rd@127.0.0.1/synap", "a character / ? or # that is not percent-encoded"],
    ["postgres://synap:secret@127.0.0.1:port/synap", "its user, password, host or port can't be read"],
    [
      "postgres://synap:secret@127.0.0.1/synap?sslmode=requires",
      'its sslmode is "requires" (did you mean "require"?)',
    ],
    [
      "postgres://synap:secret@127.0.0.1/synap?sslmod=require",
      'an unknown parameter "sslmod" (did you mean "sslmode"?)',
    ],
    ["postgres://synap:secret@127.0.0.1/synap?sslmode=require&sslrootcert=/no/such", "/no/such"],
  ])("is refused with the fault and the right form: %s", async (url, reason) => {
    const error = await openDatabase({ url }).catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: "DATABASE_URL_INVALID" });
    expect(String(error)).toContain(reason);
    expect(String(error)).toContain("postgres://USER:PASSWORD@HOST:PORT/DATABASE");
    expect(String(error)).not.toMatch(/secret|se#cret/);
  });

  it("may have parameters that only its host knows", () => {
    const url = "postgres://a@h/d?sslmode=require&channel_binding=require&pgbouncer=true";
    expect(readDatabaseUrl(url)).toMatchObject({ host: "h", database: "d" });
  });

  it("does not include an upper-case scheme, a socket or an encoded password", () => {
    expect(readDatabaseUrl("POSTGRESQL://a@h/d")).toMatchObject({ host: "h", database: "d" });
    expect(readDatabaseUrl("postgres:///d?host=/var/run")).toMatchObject({ host: "/var/run" });
    expect(readDatabaseUrl("postgres://h/d?host=i&user=a@b")).toMatchObject({ user: "a@b" });
    expect(readDatabaseUrl("postgres://a:p@ss@h/d")).toMatchObject({ password: "p@ss" });
    expect(readDatabaseUrl("postgres://a:p%23@h/d")).toMatchObject({ password: "p#" });
  });
});

describe("a server that isn't there", () => {
  it.each(["postgres://ada:secret@127.0.0.1:1/synap", "postgres://ada:secret@no-such-host.invalid/synap"])(
    "is named, with the remedy: %s",
    async (url) => {
      const error = await openDatabase({ url }).catch((refused: unknown) => refused);
      expect(error).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
      expect(String(error)).toContain(`the server at ${new URL(url).hostname}:`);
      expect(String(error)).toContain("Start the server, or correct the host and the port in DATABASE_URL.");
      expect(String(error)).not.toContain("secret");
    },
  );
});

describe("something that listens and is no PostgreSQL", () => {
  it("is named, with the remedy", async () => {
    const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await once(web.listen(0, "127.0.0.1"), "listening");
    const address = web.address();
    const port = typeof address === "object" ? address?.port : 0;
    const error = await openDatabase({ url: `postgres://ada:secret@127.0.0.1:${port}/synap` }).catch(
      (refused: unknown) => refused,
    );
    web.close();
    expect(error).toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    expect(String(error)).toContain(
      `the server at 127.0.0.1:${port} ended the connection before it answered`,
    );
    expect(String(error)).toContain("correct the host and the port in DATABASE_URL");
  });
});

describe("a server that refuses", () => {
  const url = "postgres://ada:secret@db.example:5433/synap";
  const refusal = (code: string, message: string) => Object.assign(new Error(message), { code });

  it.each([
    [
      refusal("28P01", 'password authentication failed for user "ada"'),
      "user and the password in DATABASE_URL",
    ],
    [refusal("28000", "no pg_hba.conf entry"), "pg_hba.conf"],
    [refusal("3D000", 'database "synap" does not exist'), 'CREATE DATABASE "synap" OWNER "ada"'],
    [
      refusal("42501", 'permission denied for database "synap"'),
      'GRANT CONNECT ON DATABASE "synap" TO "ada"',
    ],
    [refusal("08P01", "SASL authentication failed"), "user and the password in DATABASE_URL"],
    [refusal("08P01", "no such user: ada"), "user and the password in DATABASE_URL"],
    [refusal("08P01", "no such database: synap"), 'CREATE DATABASE "synap" OWNER "ada"'],
    [refusal("08P01", "transaction blocks not allowed in statement pooling mode"), "pool_mode = transaction"],
    [refusal("08P01", "unsupported startup parameter: options"), "ignore_startup_parameters"],
    [new Error("SASL: client password must be a string"), 'DATABASE_URL has none for "ada"'],
    [new Error("The server does not support SSL connections"), "Leave out sslmode"],
  ])("is explained with the login, the server and the remedy: %s", (error, cure) => {
    const explained = explainRefusal(error, url);
    expect(explained).toMatchObject({ code: "DATABASE_REFUSED", cause: error });
    expect(String(explained)).toContain(cure);
    expect(String(explained)).toContain("db.example:5433");
    expect(String(explained)).not.toContain("secret");
  });

  it("leaves other errors unchanged", () => {
    const error = refusal("53300", "too many connections");
    expect(explainRefusal(error, url)).toBe(error);
  });

  it.runIf(server !== undefined)("is explained when it really refuses", async () => {
    const missing = new URL(server ?? "");
    missing.pathname = "/no_such_database";
    await expect(openDatabase({ url: missing.href })).rejects.toThrow(
      /There is no database "no_such_database" on the server at .*CREATE DATABASE "no_such_database"/s,
    );
    const wrong = new URL(server ?? "");
    wrong.username = "no_such_login";
    await expect(openDatabase({ url: wrong.href })).rejects.toMatchObject({ code: "DATABASE_REFUSED" });
  });
});
