import { createSynapClient, SubscriptionGapError, SynapProblem } from "@synap/client";
import { declareRestored } from "@synap/database/internal";
import { POSITION_HEADER } from "@synap/types/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

describe("an API whose store was restored from a backup", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.stop());

  const clientOf = () => createSynapClient({ url: api.url, token: TOKEN });
  const stream = { aggregateType: "note", aggregateId: "restored" };

  it("refuses positions of lost events, and says to each reader once where to continue", async () => {
    const client = clientOf();
    const event = { type: "note.creation.requested", data: { content: "Call Acme" } } as const;
    await client.append(stream, [event]);
    const kept = await client.append(stream, [event]);
    const lost = await client.append(stream, [event]);

    // What a backup of before the last append would have brought back.
    const epoch = await api.database.asOwner(async (owner) => {
      await declareRestored(owner);
      await owner.query("UPDATE synap.epochs SET last_before = $1 WHERE number = 2", [kept.position >> 10]);
      const [row] = await owner.query<{ first: number }>(
        "SELECT first_number AS first FROM synap.epochs WHERE number = 2",
      );
      return row;
    });
    const resumeAfter = (kept.position >> 10) * 1_024 + 1_023;

    const read = () =>
      fetch(`${api.url}/api/v1/streams/note/restored`, {
        headers: { authorization: `Bearer ${TOKEN}`, [POSITION_HEADER]: String(lost.position) },
      });
    await expect.poll(async () => (await read()).status, { timeout: 20_000 }).toBe(409);
    expect(await (await read()).json()).toMatchObject({
      code: "position-lost",
      position: lost.position,
      resumeAfter,
      epoch: 2,
    });

    await expect(client.readStream(stream).next()).rejects.toMatchObject({
      constructor: SynapProblem,
      problem: { code: "position-lost", resumeAfter },
    });
    expect(await client.readStream(stream).next(), "it goes on without what was lost").toMatchObject({
      value: { streamVersion: 1 },
    });

    const tail = clientOf().subscribe({ from: lost.position });
    const error: unknown = await tail.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SubscriptionGapError);
    expect(error).toMatchObject({ position: lost.position, storePosition: resumeAfter });

    const next = await client.append(stream, [event]);
    expect(next.position).toBeGreaterThanOrEqual((epoch?.first ?? 0) * 1_024);
    const status = await fetch(`${api.url}/api/v1/status`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await status.json()).toMatchObject({ epoch: { number: 2, lastBefore: resumeAfter } });
    expect(await (await fetch(`${api.url}/readyz`)).json()).toMatchObject({
      warnings: expect.arrayContaining([
        {
          code: "store-restored",
          detail: expect.stringMatching(/^epoch 2 has begun at \S+ because .* verify --restored$/),
        },
      ]),
    });
  });
});
