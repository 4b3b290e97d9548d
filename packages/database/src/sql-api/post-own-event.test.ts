import { randomUUID } from "node:crypto";
import { seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase, testEngines } from "../../testing/index.ts";
import { noteEvent, noteEvents } from "../../testing/test-events.ts";
import { createTestLogin, type TestLogin } from "../../testing/test-login.ts";
import { createEventStore, sqlState, syncEventTypes } from "../internal.ts";

// The embedded engine has no logins.
describe.runIf(testEngines().includes("server"))("a login that uses SQL as one principal", () => {
  let test: TestDatabase;
  const logins: TestLogin[] = [];
  let ada: TestLogin;
  let ben: TestLogin;
  let bot: TestLogin;
  let stranger: TestLogin;

  beforeAll(async () => {
    test = await createTestDatabase("server");
    await syncEventTypes(test.database, seedCatalogue);
    const login = async (kind?: string, id?: string) => {
      const made = await createTestLogin(test, "synap_sql_own");
      logins.push(made);
      if (kind !== undefined)
        await test.database.asOwner((owner) =>
          owner.query("INSERT INTO synap.sql_principals (login, kind, id) VALUES ($1, $2, $3)", [
            made.name,
            kind,
            id ?? "",
          ]),
        );
      return made;
    };
    [ada, ben, bot] = [await login("user", "ada"), await login("user", "ben"), await login("agent", "bot")];
    stranger = await login();
  }, 60_000);
  afterAll(async () => {
    for (const login of logins) await login.drop();
    await test.drop();
  });

  interface Posted {
    readonly id: string;
    readonly position: string;
    readonly stream_version: string;
    readonly duplicate: boolean;
  }
  /** Posts a note; `more` are further arguments. */
  async function post({ session }: TestLogin, aggregateId: string | null, more = ""): Promise<Posted> {
    const [posted] = await session.unsafe<Posted[]>(
      `SELECT id, "position", stream_version, duplicate
         FROM synap.post_own_event('note.creation.completed', '{"content": "Acme"}', aggregate_id => $1 ${more})`,
      [aggregateId],
    );
    if (posted === undefined) throw new Error("Nothing was posted.");
    return posted;
  }
  const seenBy = async ({ session }: TestLogin) =>
    (await session.unsafe<{ id: string }[]>("SELECT id FROM synap.own_event_stream")).map(({ id }) => id);
  const refusal = (work: Promise<unknown>) => work.then(() => "done", sqlState);
  const stored = (id: string) =>
    createEventStore({ database: test.database, catalogue: seedCatalogue }).getById(id);

  it("posts as that principal, and sees what is his, however it was stored", async () => {
    const own = await post(ada, null);
    const others = await post(ben, null);
    const ofBot = await post(bot, null);
    expect(await stored(own.id)).toMatchObject({ userId: "ada", createdBy: "user:ada", source: "sql" });
    expect(await stored(ofBot.id)).toMatchObject({ createdBy: "agent:bot" });
    const store = createEventStore({ database: test.database, catalogue: seedCatalogue });
    const byApi = noteEvent({ userId: "ada", createdBy: "system" });
    await store.append(byApi);
    expect(await seenBy(ada)).toEqual([byApi.id, own.id]);
    expect(await seenBy(ben)).toEqual([others.id]);
    expect(await seenBy(bot)).toEqual([ofBot.id]);
  });

  it("appends to its own streams with an expected version", async () => {
    const stream = randomUUID();
    expect(await post(ada, stream, ", expected_version => 'no-stream'")).toMatchObject({
      stream_version: "1",
    });
    expect(await post(ada, stream, ", expected_version => '1'")).toMatchObject({ stream_version: "2" });
    expect(await refusal(post(ada, stream, ", expected_version => '1'"))).toBe("SY001");
  });

  it("corrects its own events, and those of others are to it as events that are not stored", async () => {
    const first = await post(ada, `amended-${randomUUID()}`);
    const [{ aggregate_id: stream = "" } = {}] = await ada.session.unsafe<{ aggregate_id: string }[]>(
      "SELECT aggregate_id FROM synap.own_event_stream WHERE id = $1",
      [first.id],
    );
    const retracts = (id: string) => `, metadata => '{"retracts": "${id}"}'`;
    const refused = await post(ben, `of-ben-${randomUUID()}`, retracts(first.id)).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({
      code: "SY010",
      detail: expect.stringContaining("amended-event-unknown"),
    });
    expect(await post(ada, stream, retracts(first.id))).toMatchObject({ stream_version: "2" });
  });

  it("can't append to a stream of somebody else, which is to it as one that does not exist", async () => {
    const stream = randomUUID();
    await post(ben, stream);
    for (const expected of ["any", "no-stream", "0"])
      expect(await refusal(post(ada, stream, `, expected_version => '${expected}'`)), expected).toBe("SY015");
    const versioned = post(ada, stream, ", expected_version => '1'");
    await expect(versioned).rejects.toMatchObject({
      code: "SY001",
      detail: expect.stringContaining('"actual": 0'),
    });
    expect(await refusal(post(bot, stream))).toBe("SY015");
    expect(await post(ben, stream)).toMatchObject({ stream_version: "2" });
  });

  it("gets its first answer again for the same id, and learns nothing of an event of somebody else", async () => {
    const id = randomUUID();
    const first = await post(ada, null, `, id => '${id}'`);
    expect(await post(ada, null, `, id => '${id}'`)).toEqual({ ...first, duplicate: true });
    const taken = post(ben, null, `, id => '${id}'`);
    await expect(taken).rejects.toMatchObject({
      code: "SY007",
      detail: JSON.stringify({ id }).replace(":", ": "),
    });
    const key = randomUUID();
    await post(ada, null, `, idempotency_key => '${key}'`);
    expect(await post(ben, null, `, idempotency_key => '${key}'`)).toMatchObject({ duplicate: false });
  });

  it("stays that principal whatever it sets", async () => {
    await post(ben, null);
    const own = await seenBy(ada);
    for (const statement of [
      "SET synap.visible_to = 'ben'",
      "SELECT set_config('synap.visible_to', 'ben', false)",
      "SET ROLE synap_sql_own",
    ]) {
      await ada.session.unsafe(statement);
      expect(await seenBy(ada), statement).toEqual(own);
    }
    await ada.session.unsafe("RESET ROLE");
    for (const statement of [
      "SET SESSION AUTHORIZATION postgres",
      "SET ROLE synap_reader",
      "SET ROLE synap_app",
      "UPDATE synap.sql_principals SET id = 'ben'",
      "INSERT INTO synap.sql_principals (login, kind, id) VALUES (session_user, 'user', 'ben')",
      "SELECT * FROM synap.sql_principals",
      "SELECT * FROM synap.event_stream",
      "SELECT * FROM synap.events",
      "SELECT * FROM synap.streams",
      "SELECT * FROM synap_visible.events_of_user",
      `SELECT * FROM synap.get_aggregate_events('note', 'x')`,
      `SELECT * FROM synap.get_events(0, 10)`,
      `SELECT * FROM synap.post_event('note.creation.completed', '{"content": "x"}', user_id => 'ben')`,
      "SELECT synap.refuse_stream_of_other('note', 'x', 'any', 'ada', 'user:ada')",
    ])
      expect(await refusal(ada.session.unsafe(statement)), statement).toBe("42501");
  });

  it("gets no row of others into a function of its own, which the planner could run first", async () => {
    const secret = randomUUID();
    await post(ben, null, `, correlation_id => '${secret}'`);
    await ada.session.unsafe(`
      CREATE FUNCTION pg_temp.peek(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
      BEGIN RAISE NOTICE '%', $1; IF $1 = '${secret}' THEN RAISE EXCEPTION 'seen'; END IF; RETURN true; END $$`);
    expect(
      await refusal(
        ada.session.unsafe("SELECT * FROM synap.own_event_stream WHERE pg_temp.peek(correlation_id)"),
      ),
    ).toBe("done");
  });

  it("without a principal is nobody: it sees nothing, and posts nothing", async () => {
    expect(await seenBy(stranger)).toEqual([]);
    expect(await refusal(post(stranger, null))).toBe("42501");
  });

  it("reads its events by the index, whoever has the others", async () => {
    const store = createEventStore({ database: test.database, catalogue: seedCatalogue });
    await store.appendBatch(
      noteEvents(5_000, (index) => ({ userId: `other-${index % 500}`, createdBy: `agent:${index % 500}` })),
    );
    await test.database.asOwner((owner) => owner.execute("ANALYZE synap.events"));
    for (const [login, index] of [
      [ada, "events_user"],
      [bot, "events_actor"],
    ] as const) {
      const rows = await login.session.unsafe<{ "QUERY PLAN": string }[]>(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM synap.own_event_stream LIMIT 20",
      );
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan).toContain(index);
      expect(plan).not.toMatch(/Seq Scan on \S*chunk/);
    }
  });
});
