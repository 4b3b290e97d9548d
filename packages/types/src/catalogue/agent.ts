import { z } from "zod";
import { defineEventType } from "../define-event-type.ts";
import type { JsonValue } from "../json.ts";
import { identifier, shortText } from "./fields.ts";

// What an agent proposes to do is known to the agent alone. checkJson has looked inside before this schema runs.
const parameters: z.ZodType<Record<string, JsonValue>, Record<string, JsonValue>> = z.record(
  z.string(),
  z.any(),
);

/** Decisions that an agent proposes and a person resolves. Stream: the agent. */
export const agentEventTypes = [
  defineEventType({
    name: "agent.decision_proposed",
    description: "An agent asks for leave to do something.",
    schema: z.strictObject({
      decisionId: identifier,
      action: shortText.describe("What it would do, for example product.change_price."),
      parameters: parameters.optional(),
      reasoning: z.string().min(1),
      confidence: z.number().min(0).max(1).describe("How sure the agent is, from 0 to 1."),
    }),
    example: {
      decisionId: "decision-3081",
      action: "product.change_price",
      parameters: { sku: "SUBM-05HP-50LPM", newPrice: 5499 },
      reasoning: "Two competitors have sold it for less than 5,500 for a week",
      confidence: 0.82,
    },
  }),
  defineEventType({
    name: "agent.decision_approved",
    description: "A person, or a rule a person made, let an agent do what it proposed.",
    schema: z.strictObject({ decisionId: identifier, comment: z.string().optional() }),
    example: { decisionId: "decision-3081", comment: "Fine until the end of the month" },
  }),
  defineEventType({
    name: "agent.decision_rejected",
    description: "A person refused what an agent proposed.",
    schema: z.strictObject({ decisionId: identifier, reason: shortText }),
    example: { decisionId: "decision-3081", reason: "The margin is too small" },
  }),
] as const;
