import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { earthquakeRecorded } from "./earthquake-recorded.ts";

const featureSchema = z.object({
  id: z.string(),
  geometry: z.object({ coordinates: z.tuple([z.number(), z.number(), z.number()]) }),
  properties: z.object({
    mag: z.number(),
    magType: z.string(),
    place: z.string(),
    type: z.string(),
    time: z.number(),
    net: z.string(),
    status: z.string(),
    felt: z.int().nullable(),
    tsunami: z.int(),
    url: z.string(),
  }),
});
const collectionSchema = z.object({
  metadata: z.object({ title: z.string(), count: z.int() }),
  features: z.array(featureSchema),
});

/** An event as the demo sends it. It has no id: the load gives it one. */
export interface EarthquakeInput {
  readonly type: typeof earthquakeRecorded.name;
  /** The USGS id of the earthquake. */
  readonly aggregateId: string;
  /** When the ground shook, not when anybody heard of it. */
  readonly timestamp: string;
  readonly source: "usgs";
  readonly data: typeof earthquakeRecorded.example;
}

/** A real data set: one week of the USGS earthquake feed (2018), as the npm package vega-datasets ships it. */
export function readEarthquakes(): { title: string; events: EarthquakeInput[] } {
  // The package exports code that fetches its data from the web; the files themselves lie beside it.
  const entry = createRequire(import.meta.url).resolve("vega-datasets");
  const file = join(dirname(dirname(entry)), "data", "earthquakes.json");
  const { metadata, features } = collectionSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  return { title: metadata.title, events: features.map(toEvent) };
}

function toEvent({ id, geometry, properties }: z.infer<typeof featureSchema>): EarthquakeInput {
  const [longitude, latitude, depthKm] = geometry.coordinates;
  const { felt } = properties;
  return {
    type: "earthquake.recorded",
    aggregateId: id,
    timestamp: new Date(properties.time).toISOString(),
    source: "usgs",
    data: {
      magnitude: properties.mag,
      magnitudeType: properties.magType,
      place: properties.place,
      kind: properties.type,
      longitude,
      latitude,
      depthKm,
      network: properties.net,
      status: properties.status,
      ...(felt === null ? {} : { feltReports: felt }),
      tsunami: properties.tsunami === 1,
      url: properties.url,
    },
  };
}
