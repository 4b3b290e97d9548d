import { createSynapClient } from "@synap/client";
import { createEventStore } from "@synap/database/internal";
import { testEngines } from "@synap/database/testing";
import { completeEvent, type EventInput, seedCatalogue } from "@synap/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, TOKEN } from "../testing/start-test-api.ts";

const DAY_MS = 86_400_000;
const day = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10);

describe.each(testEngines())("the numbers of events (%s)", (engine) => {
  let api: TestApi;
  let synap: ReturnType<typeof createSynapClient<typeof seedCatalogue>>;
  const refusal = async (query: string) => {
    const response = await fetch(`${api.url}/api/v1/events/stats?${query}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const { code, errors } = JSON.parse(await response.text());
    return [response.status, code, errors?.[0]?.path];
  };

  beforeAll(async () => {
    api = await startTestApi({}, engine);
    synap = createSynapClient({ url: api.url, token: TOKEN });
    const note = { type: "note.creation.requested", data: { content: "n" } } as const;
    const task = { type: "task.created", data: { title: "t" } } as const;
    const at = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString();
    const events: EventInput[] = [
      { ...note, createdBy: "user:ada", source: "web", timestamp: at(0) },
      { ...note, createdBy: "user:ada", source: "web", timestamp: at(1) },
      { ...task, createdBy: "agent:planner", source: "import", timestamp: at(1) },
      { ...note, createdBy: "user:bob", source: "web", timestamp: at(40) },
    ];
    const store = createEventStore({ database: api.database, catalogue: seedCatalogue });
    await store.appendBatch(
      events.map((event) => completeEvent(event)),
      { timestamps: "backfill" },
    );
  });
  afterAll(() => api.stop());

  it("are those of the last 30 days, by day, type, source and creator", async () => {
    expect(await synap.eventStats()).toEqual({
      from: day(29),
      to: day(0),
      events: 3,
      byDay: [
        { day: day(1), events: 2 },
        { day: day(0), events: 1 },
      ],
      byType: {
        entries: [
          { type: "note.creation.requested", events: 2 },
          { type: "task.created", events: 1 },
        ],
        others: 0,
      },
      bySource: {
        entries: [
          { source: "web", events: 2 },
          { source: "import", events: 1 },
        ],
        others: 0,
        undercount: 0,
      },
      byCreator: {
        entries: [
          { createdBy: "user:ada", events: 2 },
          { createdBy: "agent:planner", events: 1 },
        ],
        others: 0,
        undercount: 0,
      },
    });
  });

  it("take a period, of which a missing bound is 30 days away, and a length of the lists", async () => {
    expect(await synap.eventStats({ from: day(50), limit: 1 })).toMatchObject({
      from: day(50),
      to: day(21),
      events: 1,
    });
    expect(await synap.eventStats({ to: day(1) })).toMatchObject({ from: day(30), to: day(1), events: 2 });
    expect(await synap.eventStats({ from: day(60), to: day(0), limit: 1 })).toMatchObject({
      events: 4,
      byCreator: { entries: [{ createdBy: "user:ada", events: 2 }], others: 2 },
    });
    expect(await synap.eventStats({ to: "0001-01-02" })).toMatchObject({ from: "0001-01-01", events: 0 });
    expect(await synap.eventStats({ from: "9999-12-30" })).toMatchObject({ to: "9999-12-31", events: 0 });
  });

  it("are refused for a period that ends before it begins, or is longer than 366 days", async () => {
    expect(await refusal(`from=${day(1)}&to=${day(2)}`)).toEqual([400, "parameter-invalid", "to"]);
    expect(await refusal("from=2024-01-01&to=2025-01-01")).toEqual([400, "parameter-invalid", "to"]);
    expect(await synap.eventStats({ from: "2024-01-01", to: "2024-12-31" })).toMatchObject({ events: 0 });
    expect(await refusal("limit=0")).toEqual([400, "parameter-invalid", "limit"]);
    expect(await refusal("since=2024-01-01")).toEqual([400, "parameter-unknown", "since"]);
  });
});
