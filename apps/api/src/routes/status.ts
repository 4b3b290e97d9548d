import type { ReplicaUse } from "@synap/database";
import type { FailureCount, HandlerStatistics } from "@synap/database/internal";
import type { ApiApp, ApiDependencies } from "../api-dependencies.ts";
import { RELEASE } from "../release.ts";
import {
  type ApiRoute,
  json,
  jsonResponse,
  problemResponses,
  refuseQuery,
  registerRoute,
} from "./route-registration.ts";

const route = {
  scope: "metrics",
  method: "get",
  path: "/api/v1/status",
  operationId: "status",
  tags: ["operations"],
  summary: "Get the status: store, handlers, queue, processes",
  responses: {
    200: jsonResponse("The current status.", "Status"),
    ...problemResponses("parameter-unknown", "database-unavailable"),
  },
} satisfies ApiRoute;

/** GET /api/v1/status */
export function statusRoute(app: ApiApp, dependencies: ApiDependencies): void {
  registerRoute(app, route, async (context) => {
    refuseQuery(context);
    return json(context, 200, publicStatus(await readStatus(dependencies)));
  });
}

type Status = Awaited<ReturnType<typeof readStatus>>;

/** The public status, without statements and reasons of failures, which may contain data. */
function publicStatus({
  events,
  handlers,
  lockHolders,
  unhandledFailures,
  replica,
  ...status
}: Status): object {
  const { watermarkHolder: holder, ...figures } = events;
  const { query: _, ...session } = holder ?? {};
  return {
    ...status,
    events: holder === undefined ? events : { ...figures, watermarkHolder: session },
    handlers: handlers.map(withoutReason),
    ...(replica !== undefined && { replica: useWithoutReason(replica) }),
    ...(lockHolders !== undefined && { lockHolders: lockHolders.map(({ query: _, ...facts }) => facts) }),
    ...(unhandledFailures !== undefined && { unhandledFailures: unhandledFailures.map(countWithoutReason) }),
  };
}

function useWithoutReason({ reason: _, ...facts }: ReplicaUse): object {
  return facts;
}

function countWithoutReason({ reason: _, ...facts }: FailureCount): object {
  return facts;
}

function withoutReason({ retrying, ...handler }: HandlerStatistics): object {
  if (retrying === undefined) return handler;
  const { reason: _, ...facts } = retrying;
  return { ...handler, retrying: facts };
}

/** The status for principals with the scope `admin`. */
export async function readStatus(dependencies: ApiDependencies) {
  const {
    configuration,
    limits,
    publishing,
    statistics,
    connections,
    replica,
    engine,
    processes,
    notStored,
    keptInBroker,
    inTransit,
    pages,
  } = dependencies;
  const isActive = (condition: boolean) => (condition ? "active" : "inactive");
  const numbers = await statistics();
  return {
    release: RELEASE,
    ...engine,
    features: {
      database: "active",
      events: "active",
      auth: isActive(configuration.identity.apiKeys || configuration.identity.tokens !== undefined),
      agents: "pending",
      publish: "active",
      "publish-batch": "active",
      ndjson: "active",
      query: "active",
      streams: "active",
      idempotency: "active",
      "inline-handlers": "active",
      "async-handlers": "active",
      "dead-letters": "active",
      "api-keys": isActive(configuration.identity.apiKeys),
      jwt: isActive(configuration.identity.tokens !== undefined),
      sessions: isActive(configuration.identity.sessionSecret !== undefined),
      "rate-limits": isActive(limits !== undefined),
      "local-access": isActive(configuration.identity.localAccess),
    },
    ...numbers,
    notStored: await notStored(),
    keptInBroker: await keptInBroker(),
    inTransit: await inTransit(),
    instance: processes.instance,
    processes: await processes.look(),
    connections: connections(),
    replica: replica(),
    publisher: publishing.publisher.state(),
    pages: pages.state(),
  };
}
