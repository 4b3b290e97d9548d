import { createEventCatalogue, defineEventType } from "@synap/types";
import { z } from "zod";

/** The type of the events that record purges. No catalogue of an application has it, so nobody else can publish one. */
export const PURGE_EVENT_TYPE = "log.purged";

/** The catalogue of the events that record purges. */
export const purgeCatalogue = createEventCatalogue([
  defineEventType({
    name: PURGE_EVENT_TYPE,
    description: "Events were removed from the log, because a law or a court demands it.",
    schema: z.strictObject({
      purge: z.uuid().describe("Id of the purge."),
      events: z.int().min(0).describe("Number of removed events."),
      digest: z
        .string()
        .regex(/^[0-9a-f]{64}$/)
        .describe("SHA-256 over the positions and the digests of the removed events, in hexadecimal digits."),
      reason: z.string().min(1).max(1_000),
    }),
    example: {
      purge: "0b0f4c5e-6f0c-4d0f-9a3e-3f1f7f6b0c11",
      events: 3,
      digest: "5a0c2f9d8e41b7360c5f7a9be2d1480365f7a29c0b8e4d1f6a73c5e90b2d8f14",
      reason: "Request 118 of the data protection officer",
    },
  }),
]);

/** SQL: the number of the events that were kept of purges, and their digest as the event of a purge has it. */
export const PURGE_DIGEST = `
SELECT count(*) AS events,
       encode(sha256(coalesce(string_agg(int8send("position") || digest, ''::bytea ORDER BY "position"), '')), 'hex') AS digest
  FROM synap.purged_events`;
