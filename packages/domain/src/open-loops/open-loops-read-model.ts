import { defineReadModel } from "@synap/handlers";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { countOpenLoops, whatsNext } from "./open-loops.ts";

/** Open loops of a person over HTTP. */
export const openLoopsReadModel = defineReadModel({
  path: "open-loops",
  description:
    "Open loops of an owner that are not snoozed, highest score first. `counts` includes the snoozed ones",
  parameters: READ_MODEL_REQUESTS.openLoops.query,
  response: READ_MODEL_RESOURCES.OpenLoops,
  read: async (session, { owner, limit }) => ({
    openLoops: await whatsNext(session, owner, { limit }),
    counts: await countOpenLoops(session, owner),
  }),
});
