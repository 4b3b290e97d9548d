import type { Visibility } from "@synap/database";
import type { ServedAggregate } from "@synap/synap/internal";
import type { EventIssue, StreamName } from "@synap/types";
import { commandBody, commandHeaders, commandPath } from "@synap/types/http";
import { withTraceContext } from "@synap/types/internal";
import type { z } from "zod";
import { actorFields, actorIssues } from "../../acceptance/acting.ts";
import { readIdempotencyKey } from "../../acceptance/idempotency-key.ts";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { JSON_BODY_PROBLEMS } from "../../body/read-body.ts";
import { visibilityOf } from "../../identity/visibility.ts";
import { eventProblem } from "../../problems/to-problem.ts";
import { seesPersonalData } from "../../representations/current-versions.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { requestTrace } from "../../request-trace.ts";
import { readExpectedVersion, VERSION_ETAG, versionTag } from "../expected-version.ts";
import { positionHeader, positionOfAnswer } from "../read-position.ts";
import {
  type ApiRoute,
  json,
  problemResponses,
  readPathParameter,
  refuseQuery,
  registerRoute,
} from "../route-registration.ts";
import { type CommandBody, describeCommandBody, readCommandBody } from "./command-body.ts";
import { limitedRepository } from "./limited-repository.ts";

const headers = {
  ETag: VERSION_ETAG,
  ...positionOfAnswer,
} as const;

/** POST /api/v1/{path}/{id}/{command}, for every command of every registered aggregate. */
export function commandRoutes(app: ApiApp, dependencies: ApiDependencies): void {
  for (const aggregate of dependencies.aggregates) {
    for (const [command, data] of Object.entries(aggregate.decider.commands)) {
      commandRoute(app, dependencies, aggregate, command, data);
    }
  }
}

function commandRoute(
  app: ApiApp,
  dependencies: ApiDependencies,
  aggregate: ServedAggregate,
  command: string,
  data: z.ZodType,
): void {
  const { decider, path } = aggregate;
  const schema = commandBody(data);
  const route: ApiRoute = {
    scope: "publish",
    method: "post",
    path: `/api/v1/${path}/{id}/${command}`,
    operationId: `${command}-${decider.name}`,
    tags: ["aggregates"],
    summary: data.description ?? `${command} a ${decider.name}`,
    request: {
      params: commandPath,
      headers: commandHeaders,
      body: { required: true, content: { "application/json": { schema: describeCommandBody(schema) } } },
    },
    responses: {
      201: { ...representedResponse("Executed: its events are stored.", "CommandResult"), headers },
      200: {
        ...representedResponse(
          "Nothing had to change, or the command was already executed.",
          "CommandResult",
        ),
        headers,
      },
      ...problemResponses(
        ...JSON_BODY_PROBLEMS,
        "parameter-invalid",
        "parameter-unknown",
        "precondition-invalid",
        "command-refused",
        "optimistic-lock",
        "stream-closed",
        "stream-taken",
        "command-invalid",
        "idempotency-key-reused",
        "not-yourself",
        "event-too-large",
        "event-invalid",
        "handler-refused",
        "transaction-ended",
        "aggregate-contended",
        "event-version-newer",
        "stream-locked",
        "events-archived",
        "database-unavailable",
        "keys-unavailable",
        "visibility-unavailable",
      ),
    },
  };
  registerRoute(app, route, async (context, principal) => {
    refuseQuery(context);
    const id = readPathParameter(context, "id", commandPath.shape.id);
    const expectedVersion = readExpectedVersion(context);
    const commandKey = readIdempotencyKey(context);
    const body = await readCommandBody(context, schema, dependencies);
    dependencies.limits?.countEvents(principal, 1);
    const { data: given, ...envelope } = body;
    const actor = actorFields(principal);
    const issues = [...actorIssues(envelope, actor), ...amendmentOfCommand(envelope)];
    if (issues.length > 0) throw eventProblem(issues);
    const visibility = visibilityOf(principal);
    const repository = await limitedRepository(aggregate, dependencies.store, visibility, id);
    const metadata = withTraceContext(envelope.metadata, requestTrace(context));
    const result = await repository.execute(
      id,
      { type: command, data: given },
      {
        ...envelope,
        ...actor,
        ...(metadata !== undefined && { metadata }),
        requestId: context.get("requestId"),
        expectedVersion,
        ...(commandKey !== undefined && { commandKey }),
      },
    );
    const { version, repeated } = result;
    const { masked } = aggregate;
    const { state } =
      seesPersonalData(principal) || masked === undefined ? result : await masked.load(id, { version });
    // Somebody else may have executed the command under the same key.
    const stream = { aggregateType: decider.name, aggregateId: id };
    const events = repeated
      ? await visibleEvents(dependencies, visibility, stream, result.events)
      : result.events;
    const response = { ...stream, version, state, events, repeated };
    const status = events.length > 0 && !repeated ? 201 : 200;
    const answer = represent(context, response, {
      ...versionTag(version),
      ...positionHeader(events.at(-1)?.position ?? 0),
    });
    return json(context, status, answer.body, answer.headers);
  });
}

/** Its rules decide which events a command leads to: it can't make them corrections or retractions. */
function amendmentOfCommand({ metadata }: Pick<CommandBody, "metadata">): EventIssue[] {
  return (["corrects", "retracts"] as const)
    .filter((field) => metadata?.[field] !== undefined)
    .map((field) => ({
      path: `metadata.${field}`,
      code: "amendment-invalid",
      reason: "cannot be given with a command: append the event that it makes",
    }));
}

/** Those of a command's events that a caller may see. */
async function visibleEvents<Event extends { readonly id: string; readonly streamVersion: number }>(
  { store }: ApiDependencies,
  visibility: Visibility,
  stream: StreamName,
  events: readonly Event[],
): Promise<readonly Event[]> {
  const fromVersion = events[0]?.streamVersion;
  if ("all" in visibility || fromVersion === undefined) return events;
  const seen = new Set<string>();
  // They are adjacent. Page by page, because a command may have led to many large events.
  const read = store
    .visibleTo(visibility)
    .readStream(stream, { fromVersion, toVersion: events.at(-1)?.streamVersion });
  for await (const { id } of read) seen.add(id);
  return events.filter(({ id }) => seen.has(id));
}
