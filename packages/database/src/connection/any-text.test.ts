import fc from "fast-check";
import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { recordDeadLetter } from "../bookkeeping/dead-letters.ts";
import { listDeadLetters, readCheckpoint, saveCheckpoint } from "../internal.ts";

/** Any text that PostgreSQL can hold, often with a prefix that decoders treat specially. */
const text = fc
  .tuple(
    fc.constantFrom("", "\ufeff", "\ufeff\ufeff", "\ufffe", "\u200b"),
    fc.string({ unit: "binary", maxLength: 40 }),
  )
  .map(([start, rest]) => start + rest.replaceAll("\0", "").replaceAll(/\p{Surrogate}/gu, ""));

describeOnEveryEngine("any text", (engine) => {
  it("is returned unchanged, as text, as a name and in JSON, in a query, in a transaction and through drizzle", async () => {
    const { database } = engine;
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const json = JSON.stringify({ [value]: [value] });
        const statement =
          "SELECT $1::text AS text, $1::varchar AS varchar, $2::text::jsonb AS jsonb, $2::text::json AS json, $2::text AS raw";
        const expected = [
          { text: value, varchar: value, jsonb: { [value]: [value] }, json: { [value]: [value] }, raw: json },
        ];
        expect(await database.query(statement, [value, json])).toEqual(expected);
        expect(await database.transaction((open) => open.query(statement, [value, json]))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it("keeps keys distinct that differ in a leading U+FEFF", async () => {
    const { database } = engine;
    await saveCheckpoint(database, "X", 1);
    await saveCheckpoint(database, "\ufeffX", 2);
    const rows = await database.query<{ handler: string }>(
      `SELECT handler FROM synap.checkpoints WHERE handler LIKE '%X' ORDER BY "position"`,
    );
    expect(rows).toEqual([{ handler: "X" }, { handler: "\ufeffX" }]);
    expect(await readCheckpoint(database, "\ufeffX")).toBe(2);
    await recordDeadLetter(database, {
      handler: "\ufeffhandler",
      event: { "\ufeffkey": "\ufeffvalue" },
      code: "a-code",
      reason: "\ufeffreason",
      attempts: 1,
    });
    expect(await listDeadLetters(database)).toMatchObject([
      { handler: "\ufeffhandler", event: { "\ufeffkey": "\ufeffvalue" }, reason: "\ufeffreason" },
    ]);
  });

  it("is delivered unchanged in a notification", async () => {
    const heard: string[] = [];
    const stop = await engine.database.listen("any_text", (payload) => heard.push(payload));
    await engine.database.query("SELECT pg_notify('any_text', $1)", ["\ufeffpayload"]);
    await expect.poll(() => heard).toEqual(["\ufeffpayload"]);
    await stop();
  });
});
