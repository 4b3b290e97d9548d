import { seedCatalogue } from "@synap/types";
import { describe, expect, it } from "vitest";
import { earthquakeRecorded, eventTypes } from "./earthquake-recorded.ts";
import { readEarthquakes } from "./earthquakes.ts";

describe("the earthquakes of the demo", () => {
  const { events } = readEarthquakes();

  it("are 1,707 different ones", () => {
    expect(events).toHaveLength(1707);
    expect(new Set(events.map(({ aggregateId }) => aggregateId)).size).toBe(1707);
  });

  it("all keep the event type the demo defines", () => {
    const catalogue = seedCatalogue.extend(eventTypes);
    for (const { data } of events) catalogue.validateEventData(earthquakeRecorded.name, data);
    expect(catalogue.get(earthquakeRecorded.name)?.aggregateType).toBe("earthquake");
  });

  it("happened when the ground shook", () => {
    const times = events.map(({ timestamp }) => timestamp).sort();
    expect(times[0]).toBe("2018-01-31T01:49:59.650Z");
    expect(times.at(-1)).toBe("2018-02-07T01:26:13.840Z");
  });
});
