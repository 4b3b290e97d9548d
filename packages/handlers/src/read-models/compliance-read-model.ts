import { READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import { complianceStats } from "./compliance-stats.ts";
import { defineReadModel } from "./read-model.ts";
import { areInOrder, dayParameter, NOT_IN_ORDER } from "./read-model-parameters.ts";

/** The compliance figures over HTTP. */
export const complianceReadModel = defineReadModel({
  path: "compliance",
  description: "How much was done in some days, by whom, and how much of it can be traced",
  parameters: z
    .strictObject({
      from: dayParameter.describe("The first day, in UTC."),
      to: dayParameter.describe("The last day, included."),
    })
    .refine(areInOrder, NOT_IN_ORDER),
  answer: READ_MODEL_RESOURCES.Compliance,
  read: async (session, period) => ({ statistics: await complianceStats(session, period) }),
});
