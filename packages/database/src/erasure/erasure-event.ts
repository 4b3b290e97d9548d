import { createEventCatalogue, defineEventType } from "@synap/types";
import { MAX_SUBJECT_LENGTH } from "@synap/types/internal";
import { z } from "zod";

/** The type of the events that record erasures. No catalogue of an application has it, so nobody else can publish one. */
export const ERASURE_EVENT_TYPE = "subject.erased";

/** The catalogue of the events that record erasures. */
export const erasureCatalogue = createEventCatalogue([
  defineEventType({
    name: ERASURE_EVENT_TYPE,
    description: "The key of a subject was destroyed: nobody can read its personal data again.",
    schema: z.strictObject({
      erasure: z.uuid().describe("Id of the erasure."),
      subject: z.string().min(1).max(MAX_SUBJECT_LENGTH),
      reason: z.string().min(1).max(1_000),
    }),
    example: {
      erasure: "0b0f4c5e-6f0c-4d0f-9a3e-3f1f7f6b0c11",
      subject: "customer-7",
      reason: "Request 118 of the data protection officer",
    },
  }),
]);
