import { createEventCatalogue, defineEventType } from "@synap/types";
import { z } from "zod";

/** The type of the events that record that a chunk was archived. No catalogue of an application has it, so nobody else can publish one. */
export const ARCHIVE_EVENT_TYPE = "events.archived";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The catalogue of the events that record archived chunks. */
export const archiveCatalogue = createEventCatalogue([
  defineEventType({
    name: ARCHIVE_EVENT_TYPE,
    description: "A chunk of events was copied into an archive, and dropped from the database.",
    schema: z.strictObject({
      chunk: z.string().min(1).describe("Name of the chunk."),
      events: z.int().min(1).describe("Number of its events."),
      firstPosition: z.int().min(0),
      lastPosition: z.int().min(0),
      from: z.iso.datetime().describe("The first timestamp of its events."),
      to: z.iso.datetime().describe("The last one."),
      digest: sha256.describe("SHA-256 over the digests of its events, in hexadecimal digits."),
      destination: z.string().min(1).describe("URL of the archive."),
      format: z.string().min(1),
      files: z.array(z.strictObject({ name: z.string().min(1), bytes: z.int().min(0), sha256 })),
    }),
    example: {
      chunk: "_timescaledb_internal._hyper_1_1_chunk",
      events: 3,
      firstPosition: 1024,
      lastPosition: 3072,
      from: "2024-01-01T00:00:00.000Z",
      to: "2024-01-01T23:59:59.999Z",
      digest: "5a0c2f9d8e41b7360c5f7a9be2d1480365f7a29c0b8e4d1f6a73c5e90b2d8f14",
      destination: "s3://archive/synap",
      format: "ndjson.zst",
      files: [
        {
          name: "20240101.ndjson.zst",
          bytes: 812,
          sha256: "0b8e4d1f6a73c5e90b2d8f145a0c2f9d8e41b7360c5f7a9be2d1480365f7a29c",
        },
      ],
    },
  }),
]);
