import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningSynap, runSynap } from "@synap/cli/all-in-one/run-synap.ts";
import { packEvents } from "@synap/handlers/internal";
import { createSynapEvent } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { runCommand } from "../src/processes/run-command.ts";

const events = Array.from({ length: 30 }, (_, index) =>
  createSynapEvent({
    type: index === 3 ? "note.creation.completed" : "note.creation.requested",
    data: { content: `note ${index} ✓\u009b` },
  }),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "synap-envelope-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the command on its standard input, or on a file with this content. */
async function open(content: unknown, from: "file" | "stdin" = "stdin") {
  const text = typeof content === "string" ? content : JSON.stringify(content, undefined, 2);
  const file = join(folder, "envelope.json");
  if (from === "file") await writeFile(file, text);
  const command = runCommand(
    "apps/cli/src/synap-cli.ts",
    ["envelope", from === "file" ? file : "-"],
    from === "file" ? {} : { input: text },
  );
  const code = await command.ended;
  const lines = command.stdout().split("\n").filter(Boolean);
  return { code, events: code === 0 ? lines.map((line): unknown => JSON.parse(line)) : [], ...command };
}

describe("npx -y pnpm@12 synap envelope", () => {
  it("prints the events of a packed envelope, and a summary apart from them", async () => {
    const data = await packEvents(events, JSON.stringify(events));
    const opened = await open({ name: "synap/events.published", id: "x", ts: 1, data, user: {} }, "file");
    expect(opened).toMatchObject({ code: 0, events });
    expect(opened.output()).toMatch(
      /^30 events \(compressed, [\d,]+ bytes\) from 20\S+Z to 20\S+Z: 29 note.creation.requested, 1 note.creation.completed$/m,
    );
    expect(opened.stdout()).not.toContain("30 events");
    // A control character never reaches the terminal as one.
    expect(opened.stdout()).not.toContain("\u009b");
  });

  it("takes the data alone, an array of Inngest events, and a dead letter, plain or packed", async () => {
    const packed = await packEvents(events, JSON.stringify(events));
    const [first] = events;
    expect(await open(packed)).toMatchObject({ code: 0, events });
    expect(await open([{ data: { events: [first] } }, { data: packed }])).toMatchObject({
      code: 0,
      events: [first, ...events],
    });
    expect(await open({ id: 17, code: "envelope-cancelled", event: packed })).toMatchObject({
      code: 0,
      events,
    });
  });

  it("says what is wrong with anything else, and exits with 1", async () => {
    const packed = await packEvents(events, JSON.stringify(events));
    for (const [content, says] of [
      ['{"gzip": "H4s', "Standard input is not JSON"],
      [{ ...packed, count: 7 }, "gzip contains 30 events, and count is 7"],
      [
        [{ data: packed }, { data: {} }],
        "Element 1 of the array is not a readable envelope: events is required",
      ],
      [[], "The array is empty"],
    ] as const) {
      const { code, output } = await open(content);
      expect([code, output()]).toEqual([1, expect.stringContaining(says)]);
      expect(output()).not.toContain("    at ");
    }
    const missing = runCommand("apps/cli/src/synap-cli.ts", ["envelope", join(folder, "none.json")]);
    expect([await missing.ended, missing.output()]).toEqual([1, expect.stringContaining("can't be read")]);
  });
});

describe("envelopes on their way from the API to the store", () => {
  let synap: RunningSynap;
  beforeAll(async () => {
    const ports = { apiPort: 0, workerPort: 0, brokerPort: 0 };
    synap = await runSynap({ dataDirectory: join(folder, "data"), ...ports, logLevel: "silent" });
  });
  afterAll(() => synap.stop());

  it.each([
    ["plain", 1],
    ["plain", 10],
    ["packed", 1_000],
  ])("are %s with %i events, and the stored events are those that were sent", async (form, count) => {
    const sent = Array.from({ length: count }, (_, index) => ({
      type: "note.creation.requested",
      aggregateId: `${form}-${count}`,
      data: { content: `${index} "✓" \u2028 🌍` },
    }));
    const response = await fetch(`${synap.apiUrl}/api/v1/events/batch`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(sent),
    });
    expect(response.status).toBe(202);
    const stored = () =>
      synap.database.query<{ id: string; content: string }>(
        "SELECT id, data->>'content' AS content FROM synap.events WHERE aggregate_id = $1 AND type = $2 ORDER BY position",
        [`${form}-${count}`, "note.creation.requested"],
      );
    await expect.poll(async () => (await stored()).length).toBe(count);
    const rows = await stored();
    expect(rows.map(({ content }) => content)).toEqual(sent.map(({ data }) => data.content));

    const [queued] = await synap.database.asOwner((owner) =>
      owner.query<{ body: string }>("SELECT body FROM inngest_local.events WHERE body LIKE $1", [
        `%${rows[0]?.id}%`,
      ]),
    );
    const { data } = z.object({ data: z.looseObject({}) }).parse(JSON.parse(queued?.body ?? ""));
    expect("gzip" in data).toBe(form === "packed");
    expect(await open(queued?.body)).toMatchObject({
      code: 0,
      events: rows.map(({ id }) => expect.objectContaining({ id })),
    });
  });
});
