import { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { JSON_BODY_PROBLEMS } from "../../body/json-body-problems.ts";
import { readJsonBody } from "../../body/read-json-body.ts";
import { json, jsonAnswer, readPathParameter, readQuery } from "../route-registration.ts";
import { registerAdminRoute } from "./admin-route.ts";
import { deadLetterId } from "./dead-letter-id.ts";

const noQuery = z.strictObject({});
const params = z.object({ id: deadLetterId });

/** The body of a skip. */
export const skipBody = z.strictObject({
  reason: z
    .string("must be a text")
    .trim()
    .min(1, "must say why")
    .max(1_000, "may have 1,000 characters")
    .refine((text) => !text.includes("\0"), "must not hold NUL")
    .describe("Why the event is left out for good; kept with the letter."),
});

/** POST /api/v1/admin/dead-letters/{id}/retry and .../skip */
export function resolveDeadLetterRoutes(app: ApiApp, ports: ApiPorts): void {
  const { admin, configuration, logger } = ports;
  registerAdminRoute(
    app,
    ports,
    {
      method: "post",
      path: "/api/v1/admin/dead-letters/{id}/retry",
      operationId: "retryDeadLetter",
      summary: "Handle the event of a dead letter again",
      description:
        "When it works, the events of its stream that waited behind it follow in order. When it fails again, the " +
        "letter stays open: `status` says which.",
      request: { params },
      answers: { 200: jsonAnswer("What came of it.", "DeadLetterOutcome") },
      problems: [
        "parameter-invalid",
        "dead-letter-not-found",
        "dead-letter-resolved",
        "dead-letter-not-retryable",
        "handler-unavailable",
      ],
    },
    async (context, { actor }) => {
      readQuery(context, noQuery);
      const id = Number(readPathParameter(context, "id", deadLetterId));
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
    ports,
    {
      method: "post",
      path: "/api/v1/admin/dead-letters/{id}/skip",
      operationId: "skipDeadLetter",
      summary: "Leave the event of a dead letter out for good",
      description: "The events of its stream that waited behind it follow in order.",
      request: { params, body: { content: { "application/json": { schema: skipBody } } } },
      answers: { 200: jsonAnswer("What came of it.", "DeadLetterOutcome") },
      problems: [
        "parameter-invalid",
        ...JSON_BODY_PROBLEMS,
        "body-invalid",
        "dead-letter-not-found",
        "dead-letter-resolved",
      ],
    },
    async (context, { actor }) => {
      readQuery(context, noQuery);
      const id = Number(readPathParameter(context, "id", deadLetterId));
      const { reason } = await readJsonBody(context.req.raw, skipBody, configuration);
      const outcome = await admin.deadLetters.skip(id, { by: actor, reason });
      logger.info({ actor, id, reason, requestId: context.get("requestId") }, "dead letter skipped");
      return json(context, 200, outcome);
    },
  );
}
