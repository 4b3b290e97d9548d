import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { promisify } from "node:util";
import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, serverUrl, type TestDatabase, testEngines } from "../../testing/index.ts";
import { createEventStore, syncEventTypes } from "../internal.ts";

const run = promisify(execFile);
const hasPsql = await run("psql", ["--version"]).then(
  () => true,
  () => false,
);

// The embedded engine has no socket that psql could connect to.
describe.skipIf(!testEngines().includes("server") || !hasPsql)("plain psql", () => {
  let made: TestDatabase;
  let url = "";

  beforeAll(async () => {
    made = await createTestDatabase("server");
    url = serverUrl(made);
    await syncEventTypes(made.database, seedCatalogue);
  });
  afterAll(() => made.drop());

  /** Runs psql and returns its unaligned output. It stops at the first error and prints the SQLSTATE. */
  async function psql(...statements: readonly string[]): Promise<{ lines: string[]; error: string }> {
    const options = ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", url];
    const commands = statements.flatMap((statement) => ["-c", statement]);
    const env = { ...process.env, PGOPTIONS: "-c role=synap_sql" };
    const { stdout, stderr } = await run("psql", [...options, ...commands], { env }).catch(
      (failed: { stdout: string; stderr: string }) => failed,
    );
    return { lines: stdout.trim().split("\n"), error: stderr };
  }

  const post = (id: string, more = "") => `
    SELECT stream_version, duplicate
      FROM synap.post_event(
        type => 'note.creation.completed', data => '{"content": "From psql"}', aggregate_id => '${id}',
        created_by => 'agent:psql' ${more})`;

  it("posts an event that the TypeScript store reads", async () => {
    const id = randomUUID();
    expect((await psql(post(id))).lines).toEqual(["1|f"]);
    const store = createEventStore({ database: made.database, catalogue: seedCatalogue });
    const { events } = await store.query({ aggregateId: id }, { limit: 2, order: "asc" });
    expect(events).toMatchObject([
      { createdBy: "agent:psql", source: "sql", data: { content: "From psql" } },
    ]);
  });

  it("receives a conflict with the expected and the actual version", async () => {
    const id = randomUUID();
    const { lines, error } = await psql(
      post(id, ", expected_version => 'no-stream'"),
      post(id, ", expected_version => '1'"),
      post(id, ", expected_version => '1'"),
    );
    expect(lines).toEqual(["1|f", "2|f"]);
    expect(error).toContain("SY001");
    expect(error).toContain('"actual": 2, "expected": 1');
  });

  it("may repeat an event", async () => {
    const id = randomUUID();
    const again = post(id, `, idempotency_key => '${id}', expected_version => 'no-stream'`);
    expect((await psql(again, again)).lines).toEqual(["1|f", "1|t"]);
  });

  it("receives the issues of an invalid event", async () => {
    const { error } = await psql("SELECT synap.post_event('note.creation.copmleted', '{}')");
    expect(error).toContain(
      'SY010: the event is not valid: type names "note.creation.copmleted", which is not in the catalogue',
    );
    expect(error).toContain('"code": "unknown-event-type"');
  });

  it("reads a stream back, and has no right on any table", async () => {
    const id = randomUUID();
    const { lines } = await psql(
      post(id),
      post(id),
      `SELECT stream_version, type FROM synap.get_aggregate_events('note', '${id}', 2)`,
    );
    expect(lines.at(-1)).toBe("2|note.creation.completed");
    expect((await psql("SELECT * FROM synap.events")).error).toContain("42501");
  });

  it("wakes a subscriber of the store", async () => {
    const store = createEventStore({ database: made.database, catalogue: seedCatalogue });
    const id = randomUUID();
    const heard: string[] = [];
    let posting: Promise<unknown> | undefined;
    for await (const batch of store.subscribeToAll({ from: "now" })) {
      // The first batch shows that the subscription has started.
      posting ??= psql(post(id));
      heard.push(...batch.events.map((event) => event.aggregateId));
      if (heard.length > 0) break;
    }
    await posting;
    expect(heard).toEqual([id]);
  });

  it("is woken by the events of others", async () => {
    const child = spawn("psql", ["-X", url], { stdio: ["pipe", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    child.stdin.write("LISTEN synap_appends;\n");
    await expect.poll(() => said).toContain("LISTEN");
    await psql(post(randomUUID()));
    // psql prints notifications with the next command.
    child.stdin.end("SELECT 1;\n");
    await once(child, "close");
    expect(said).toContain('Asynchronous notification "synap_appends" ');
  });
});
