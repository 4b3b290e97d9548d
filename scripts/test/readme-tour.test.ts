import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, type PageTour, Reader, readPageTour } from "./processes/page-tour.ts";

let tour: PageTour;
let reader: Reader;

beforeAll(async () => {
  tour = await readPageTour("README.md");
  reader = await Reader.start();
});
afterAll(() => reader.stop());

describe("the README's five-minute tour", () => {
  it("has the five stops that this test knows", () => {
    expect(tour.stops).toHaveLength(5);
  });

  it("publishes an event and gets the response that it is accepted", async () => {
    expect(JSON.parse(await reader.paste(tour.stops[0]?.commands))).toMatchObject({
      status: "accepted",
      id: expect.any(String),
    });
  });

  it("reads the event and the reaction to it, newest first", async () => {
    const { events } = await eventually(
      async () => JSON.parse(await reader.paste(tour.stops[1]?.commands)),
      (page) => page.events.length === 2,
    );
    expect(events).toMatchObject([
      { type: "note.creation.completed", causationId: events[1].id, correlationId: "tour-1" },
      { type: "note.creation.requested", data: { content: "Buy milk", title: "Groceries" }, userId: "ada" },
    ]);
  });

  it("sends an event twice and stores it once", async () => {
    const responses = (await reader.paste(tour.stops[2]?.commands))
      .replaceAll("}{", "}\n{")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(responses).toMatchObject([{ status: "accepted" }, { status: "duplicate", id: responses[0].id }]);
  });

  it("gets the reason why the bad event is refused, while the good one is accepted", async () => {
    const { results } = JSON.parse(await reader.paste(tour.stops[3]?.commands));
    expect(results[0]).toMatchObject({ index: 0, status: "accepted" });
    expect(results[1]).toMatchObject({ index: 1, status: "rejected", path: expect.stringContaining("data") });
  });

  it("sees how the whole is doing", async () => {
    expect(JSON.parse(await reader.paste(tour.stops[4]?.commands))).toMatchObject({ engine: "embedded" });
  });
});
