import { defineConfig, defineEventType, seededDomain } from "@synap/synap";
import { coinsProjection, coinsSchema } from "./coins.ts";

const coinDropped = defineEventType({
  name: "coin.dropped",
  description: "A coin was dropped into a box, in euros.",
  schema: coinsSchema,
  example: { euros: 1 },
});

/** The first release. */
export default defineConfig({
  modules: [seededDomain],
  eventTypes: [coinDropped],
  projections: [coinsProjection(coinDropped, ({ euros }) => euros * 100)],
});
