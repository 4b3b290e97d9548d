import { READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import { complianceStats } from "./compliance-stats.ts";
import { defineReadModel } from "./read-model.ts";
import { areInOrder, dayParameter, NOT_IN_ORDER } from "./read-model-parameters.ts";

/** The compliance figures over HTTP. */
export const complianceReadModel = defineReadModel({
  path: "compliance",
  description: "Events per day, type and kind of actor, and how many of them name a user or a flow",
  parameters: z
    .strictObject({
      from: dayParameter.describe("First day, in UTC."),
      to: dayParameter.describe("Last day (inclusive), in UTC."),
    })
    .refine(areInOrder, NOT_IN_ORDER),
  answer: READ_MODEL_RESOURCES.Compliance,
  read: async (session, period) => ({ statistics: await complianceStats(session, period) }),
});
