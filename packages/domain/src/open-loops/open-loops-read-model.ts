import { defineReadModel, limitParameter, nameParameter } from "@synap/handlers";
import { READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import { countOpenLoops, whatsNext } from "./open-loops.ts";

/** What's next for a person, over HTTP. */
export const openLoopsReadModel = defineReadModel({
  path: "open-loops",
  description:
    "What's next for somebody: open loops that are not put off, the highest score first. `counts` counts the others too",
  parameters: z.strictObject({
    owner: nameParameter.describe("Whose open loops."),
    limit: limitParameter(20),
  }),
  answer: READ_MODEL_RESOURCES.OpenLoops,
  read: async (session, { owner, limit }) => ({
    openLoops: await whatsNext(session, owner, { limit }),
    counts: await countOpenLoops(session, owner),
  }),
});
