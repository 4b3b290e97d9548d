import { defineConfig, defineEventType, seededDomain } from "@synap/synap";
import { z } from "zod";
import { coinsProjection, coinsSchema } from "./coins.ts";

const coinDropped = defineEventType({
  name: "coin.dropped",
  description: "A coin was dropped into a box, in cents.",
  version: 2,
  schema: z.strictObject({ cents: z.int() }),
  example: { cents: 100 },
  upcast: { 1: { schema: coinsSchema, up: ({ euros }) => ({ cents: euros * 100 }) } },
});

/** The release after it, whose events are in cents. */
export default defineConfig({
  modules: [seededDomain],
  eventTypes: [coinDropped],
  projections: [coinsProjection(coinDropped, ({ cents }) => cents)],
});
