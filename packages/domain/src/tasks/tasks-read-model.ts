import { defineReadModel } from "@synap/handlers";
import { READ_MODEL_REQUESTS, READ_MODEL_RESOURCES } from "@synap/types/http";
import { openTasks } from "./tasks-view.ts";

/** Open tasks over HTTP. */
export const tasksReadModel = defineReadModel({
  path: "tasks",
  description: "Open tasks, ordered by due date, soonest first",
  parameters: READ_MODEL_REQUESTS.tasks.query,
  response: READ_MODEL_RESOURCES.Tasks,
  read: async (session, { owner: assigneeId, limit }) => ({
    tasks: await openTasks(session, { assigneeId, limit }),
  }),
});
