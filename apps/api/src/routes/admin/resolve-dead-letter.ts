import { deadLetterPath, emptyBody, retryBody, skipBody } from "@synap/types/http";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS, readJsonBody, readOptionalJsonBody } from "../../body/read-body.ts";
import { checkFilterNames } from "../named-filter.ts";
import { json, jsonBody, jsonResponse, readPathParameter, refuseQuery } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";

/** POST /api/v1/admin/dead-letters/retry, .../{id}/retry and .../{id}/skip */
export function resolveDeadLetterRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  const { admin, configuration, logger } = dependencies;
  registerAdminRoute(
    app,
    {
      method: "post",
      path: "/api/v1/admin/dead-letters/retry",
      operationId: "retryDeadLetters",
      summary: "Retry the open dead letters that match, oldest first",
      description:
        "Each dead letter has its own outcome, and one that fails again stays open. `next` is present when more may " +
        "follow. `stopped` names the dead letter at which the call ended early because a dependency is unavailable.",
      request: { body: { required: true, content: { "application/json": { schema: retryBody } } } },
      responses: { 200: jsonResponse("The outcome of each.", "DeadLetterOutcomes") },
      problems: [...JSON_BODY_PROBLEMS, "body-invalid", "filter-unknown"],
    },
    async (context, { actor }) => {
      refuseQuery(context);
      const filter = await readJsonBody(context.req.raw, retryBody, configuration);
      await checkFilterNames(dependencies, { handler: filter.handler });
      const retried = await admin.deadLetters.retryAll(filter, { by: actor });
      const failed = retried.outcomes.filter(({ status }) => status === "open").length;
      const facts = {
        actor,
        ...filter,
        deadLetters: retried.outcomes.length,
        failed,
        stopped: retried.stopped,
      };
      logger.info({ ...facts, requestId: context.get("requestId") }, "dead letters retried");
      return json(context, 200, retried);
    },
  );
  registerAdminRoute(
    app,
    {
      method: "post",
      path: "/api/v1/admin/dead-letters/{id}/retry",
      operationId: "retryDeadLetter",
      summary: "Retry a dead letter",
      description:
        "After a success, the events of its stream that waited behind it follow in order. When it fails again, the " +
        "dead letter stays open, as `status` shows. The event of an `ingest-events` dead letter, which is not stored, is " +
        "validated again and appended; `resolution` has its position.",
      request: { params: deadLetterPath, body: jsonBody(emptyBody) },
      responses: { 200: jsonResponse("The outcome.", "DeadLetterOutcome") },
      problems: [
        ...JSON_BODY_PROBLEMS,
        "body-invalid",
        "parameter-invalid",
        "dead-letter-not-found",
        "dead-letter-resolved",
        "dead-letter-not-retryable",
        "handler-unavailable",
      ],
    },
    async (context, { actor }) => {
      refuseQuery(context);
      const id = readPathParameter(context, "id", deadLetterPath.shape.id);
      await readOptionalJsonBody(context.req.raw, emptyBody, configuration);
      const outcome = await admin.deadLetters.retry(id, { by: actor });
      logger.info(
        { actor, id, status: outcome.status, requestId: context.get("requestId") },
        "dead letter retried",
      );
      return json(context, 200, outcome);
    },
  );
  registerAdminRoute(
    app,
    {
      method: "post",
      path: "/api/v1/admin/dead-letters/{id}/skip",
      operationId: "skipDeadLetter",
      summary: "Skip a dead letter",
      description:
        "Its event is never handled. The events of its stream that waited behind it follow in order.",
      request: { params: deadLetterPath, body: jsonBody(skipBody) },
      responses: { 200: jsonResponse("The outcome.", "DeadLetterOutcome") },
      problems: [
        "parameter-invalid",
        ...JSON_BODY_PROBLEMS,
        "body-invalid",
        "dead-letter-not-found",
        "dead-letter-resolved",
      ],
    },
    async (context, { actor }) => {
      refuseQuery(context);
      const id = readPathParameter(context, "id", deadLetterPath.shape.id);
      const { reason } = await readJsonBody(context.req.raw, skipBody, configuration);
      const outcome = await admin.deadLetters.skip(id, { by: actor, reason });
      logger.info({ actor, id, reason, requestId: context.get("requestId") }, "dead letter skipped");
      return json(context, 200, outcome);
    },
  );
}
