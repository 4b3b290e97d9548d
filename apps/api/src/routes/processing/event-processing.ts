import type { EventProcessing } from "@synap/handlers/internal";
import { eventPath, processingBody } from "@synap/types/http";
import type { ApiApp, ApiContext, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readJsonBody } from "../../body/read-body.ts";
import { Problem } from "../../problems/problem.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { registerAdminRoute } from "../admin/admin-route.ts";
import { checkFilterNames } from "../named-filter.ts";
import { json, jsonBody, readPathParameter, refuseQuery } from "../route-registration.ts";

const PATH = "/api/v1/events/{id}/processing";

/** GET and PUT /api/v1/events/{id}/processing */
export function eventProcessingRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  const { admin, configuration, logger } = dependencies;
  registerAdminRoute(
    app,
    {
      method: "get",
      path: PATH,
      operationId: "getEventProcessing",
      summary: "Get the state of an event for each handler",
      description:
        "Derived from checkpoints, dead letters and failures: nothing is stored for each event. An event that the store " +
        "refused has no such state; it is a dead letter of `ingest-events`.",
      request: { params: eventPath },
      responses: { 200: representedResponse("The state for each handler.", "EventProcessing") },
      problems: ["parameter-invalid", "event-not-found"],
    },
    async (context) => {
      refuseQuery(context);
      const id = readEventId(context);
      const found = await admin.processing.of(id);
      if (found === undefined) throw eventNotFound(id);
      return answer(context, summarise(found));
    },
  );
  registerAdminRoute(
    app,
    {
      method: "put",
      path: PATH,
      operationId: "changeEventProcessing",
      summary: "Retry an event for a handler that failed on it, or skip it",
      description:
        "As retrying or skipping the event's dead letter, with who did so and why. The events of its stream that waited " +
        "behind it follow in order. When it fails again, it stays `failed`.",
      request: { params: eventPath, body: jsonBody(processingBody) },
      responses: {
        200: representedResponse("The state for each handler, and the outcome.", "ProcessingChange"),
      },
      problems: [
        ...JSON_BODY_PROBLEMS,
        "body-invalid",
        "parameter-invalid",
        "filter-unknown",
        "event-not-found",
        "nothing-to-resolve",
        "dead-letter-not-found",
        "dead-letter-resolved",
        "dead-letter-not-retryable",
        "projection-conflict",
        "handler-unavailable",
      ],
    },
    async (context, { actor }) => {
      refuseQuery(context);
      const id = readEventId(context);
      const decision = await readJsonBody(context.req.raw, processingBody, configuration);
      const { handler, action, reason } = decision;
      await checkFilterNames(dependencies, { handler });
      const changed = await admin.processing.resolve(id, { ...decision, by: actor });
      if (changed === undefined) throw eventNotFound(id);
      const { outcome } = changed;
      const facts = { actor, eventId: id, handler, action, reason, status: outcome.status };
      logger.info({ ...facts, requestId: context.get("requestId") }, "processing of an event changed");
      return answer(context, { ...summarise(changed), outcome });
    },
  );
}

/** Reads the id of an event from the path. @throws Problem `parameter-invalid` */
function readEventId(context: ApiContext): string {
  return readPathParameter(context, "id", eventPath.shape.id).toLowerCase();
}

function eventNotFound(id: string): Problem {
  const detail = `No event ${id} is stored. An accepted event is stored within moments; one that the store refused is among the dead letters of ingest-events.`;
  return new Problem("event-not-found", detail, { headers: { "retry-after": "1" } });
}

function answer(context: ApiContext, value: object): Response {
  const { body, headers } = represent(context, value);
  return json(context, 200, body, headers);
}

function summarise({ event, processed, handlers }: EventProcessing): object {
  const { id: eventId, type, position } = event;
  return { eventId, type, position, processed, handlers };
}
