import { conditionHeaders, eventTypePath } from "@synap/types/http";
import { allEventTypes, describeEventType, didYouMean, findEventType } from "@synap/types/internal";
import type { ApiApp, ApiDependencies } from "../../api-dependencies.ts";
import { Problem } from "../../problems/problem.ts";
import { represent, representedResponse } from "../../representations/representation.ts";
import { conditionalJson, ETAG } from "../conditional-response.ts";
import {
  type ApiRoute,
  problemResponses,
  readPathParameter,
  refuseQuery,
  registerRoute,
} from "../route-registration.ts";

const route = {
  scope: "read",
  method: "get",
  path: "/api/v1/events/types/{name}",
  operationId: "getEventType",
  tags: ["events"],
  summary: "Get an event type: its schema, an example, its versions",
  request: { params: eventTypePath, headers: conditionHeaders },
  responses: {
    200: { ...representedResponse("The event type.", "EventType"), headers: { ETag: ETAG } },
    304: { description: "It is as If-None-Match has it." },
    ...problemResponses(
      "parameter-invalid",
      "parameter-unknown",
      "event-type-not-found",
      "database-unavailable",
    ),
  },
} satisfies ApiRoute;

/** GET /api/v1/events/types/{name} */
export function getEventTypeRoute(app: ApiApp, { catalogue }: ApiDependencies): void {
  registerRoute(app, route, async (context) => {
    refuseQuery(context);
    const name = readPathParameter(context, "name", eventTypePath.shape.name);
    const definition = await findEventType(catalogue, name);
    if (definition === undefined) {
      const meant = didYouMean(
        name,
        (await allEventTypes(catalogue)).map((type) => type.name),
      );
      throw new Problem(
        "event-type-not-found",
        `The catalogue has no event type ${JSON.stringify(name)}${meant}.`,
      );
    }
    const { body, headers } = represent(context, describeEventType(definition));
    return conditionalJson(context, JSON.stringify(body), headers);
  });
}
