import { defineReadModel, limitParameter, nameParameter } from "@synap/handlers";
import { READ_MODEL_RESOURCES } from "@synap/types/http";
import { z } from "zod";
import { openTasks } from "./tasks-view.ts";

/** Open tasks over HTTP. */
export const tasksReadModel = defineReadModel({
  path: "tasks",
  description: "Open tasks, ordered by due date, soonest first",
  parameters: z.strictObject({
    owner: nameParameter.optional().describe("Tasks assigned to this person. Default: everybody's."),
    limit: limitParameter(100),
  }),
  answer: READ_MODEL_RESOURCES.Tasks,
  read: async (session, { owner: assigneeId, limit }) => ({
    tasks: await openTasks(session, { assigneeId, limit }),
  }),
});
