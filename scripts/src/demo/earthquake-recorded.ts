import { defineEventType } from "@synap/types";
import { z } from "zod";

/**
 * An event type of an application's own, the way any application defines one: the demo starts Synap with this
 * module, and nothing in Synap's packages knows of it.
 */
export const earthquakeRecorded = defineEventType({
  name: "earthquake.recorded",
  description: "A seismometer network located an earthquake (or a blast that looks like one).",
  schema: z.strictObject({
    magnitude: z.number().min(-5).max(12),
    magnitudeType: z.string().min(1).max(16),
    place: z.string().min(1).max(200),
    kind: z.string().min(1).max(32).describe("earthquake, explosion, quarry blast ..."),
    longitude: z.number().min(-180).max(180),
    latitude: z.number().min(-90).max(90),
    depthKm: z.number().min(-100).max(1000).describe("Below sea level; negative for a hill."),
    network: z.string().min(1).max(16),
    status: z.string().min(1).max(16).describe("automatic, or reviewed by a person."),
    feltReports: z.int().nonnegative().optional(),
    tsunami: z.boolean(),
    url: z.url().optional(),
  }),
  example: {
    magnitude: 6.4,
    magnitudeType: "mww",
    place: "18km NNE of Hualian, Taiwan",
    kind: "earthquake",
    longitude: 121.6583,
    latitude: 24.1736,
    depthKm: 10.6,
    network: "us",
    status: "reviewed",
    feltReports: 387,
    tsunami: true,
    url: "https://earthquake.usgs.gov/earthquakes/eventpage/us1000chhc",
  },
});

/** The event types of the demo, as Synap loads them. */
export const eventTypes = [earthquakeRecorded];
