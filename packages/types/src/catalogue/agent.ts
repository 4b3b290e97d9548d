import { z } from "zod";
import { defineEventType } from "../event-types/define-event-type.ts";
import type { JsonValue } from "../json/json.ts";
import { identifier, shortText } from "./fields.ts";

// Only the agent knows the form of its parameters. checkJson has validated them before this schema runs.
const parameters: z.ZodType<Record<string, JsonValue>, Record<string, JsonValue>> = z.record(
  z.string(),
  z.any(),
);

/** Decisions that an agent proposes and a person resolves. Stream: the agent. */
export const agentEventTypes = [
  defineEventType({
    name: "agent.decision_proposed",
    description: "An agent asked for permission to do something.",
    schema: z.strictObject({
      decisionId: identifier,
      action: shortText.describe("The proposed action, for example product.change_price."),
      parameters: parameters.optional(),
      reasoning: z.string().min(1),
      confidence: z.number().min(0).max(1).describe("Confidence of the agent, from 0 to 1."),
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
    description: "A person, or a rule that a person made, approved an agent's proposal.",
    schema: z.strictObject({ decisionId: identifier, comment: z.string().optional() }),
    example: { decisionId: "decision-3081", comment: "Fine until the end of the month" },
  }),
  defineEventType({
    name: "agent.decision_rejected",
    description: "A person refused an agent's proposal.",
    schema: z.strictObject({ decisionId: identifier, reason: shortText }),
    example: { decisionId: "decision-3081", reason: "The margin is too small" },
  }),
] as const;
