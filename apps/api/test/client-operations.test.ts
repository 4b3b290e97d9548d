import { OpenAPIHono } from "@hono/zod-openapi";
import { OPERATIONS, type Operation } from "@synap/client";
import { HTTP_REQUESTS, HTTP_RESOURCES, type RequestSchemas } from "@synap/types/http";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeCommandBody } from "../src/routes/aggregates/command-body.ts";
import { unservedApp } from "../testing/unserved-app.ts";

const schemaForm = z.looseObject({});
const content = z.record(z.string(), z.object({ schema: schemaForm }));
const operationForm = z.object({
  operationId: z.string(),
  tags: z.array(z.string()).default([]),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.enum(["path", "query", "header"]),
        required: z.boolean().default(false),
        schema: z.looseObject({}),
      }),
    )
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ content: content.default({}) })),
});
const documentForm = z.object({
  paths: z.record(z.string(), z.record(z.string(), operationForm)),
  components: z.object({ schemas: z.record(z.string(), z.looseObject({})) }),
});
type Document = z.output<typeof documentForm>;

/** An operation: where it is, what it takes and what it answers, all schemas resolved. */
interface Described {
  readonly method: string;
  readonly path: string;
  /** By place and name. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** Of success, by the name of the resource, or the media type of those that have none. */
  readonly answers: Readonly<Record<string, unknown>>;
}

/** The operations of a document by their operationIds, with their tags. */
function operationsOf({ paths, components }: Document) {
  const resolve = (schema: Record<string, unknown>): unknown =>
    typeof schema["$ref"] === "string" ? components.schemas[nameOf(schema["$ref"])] : schema;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const { operationId, tags, parameters, requestBody, responses } = operation;
      const answers = Object.entries(responses)
        .filter(([status]) => status.startsWith("2"))
        .flatMap(([, response]) => Object.entries(response.content))
        // The client asks for JSON in camel case.
        .filter(([type]) => !/profile|cloudevents/.test(type))
        .map(([type, { schema }]) =>
          typeof schema["$ref"] === "string" ? [nameOf(schema["$ref"]), resolve(schema)] : [type, true],
        );
      // The client sends the first form, and there is one other: the same in snake case.
      const sent = requestBody?.content["application/json"]?.schema;
      const body =
        z.looseObject({ anyOf: z.tuple([schemaForm, schemaForm]) }).safeParse(sent).data?.anyOf[0] ?? sent;
      const described: Described = {
        method: method.toUpperCase(),
        path,
        parameters: Object.fromEntries(
          parameters.map(({ name, in: place, required, schema }) => [
            `${place} ${name}`,
            { required, schema },
          ]),
        ),
        body: body && resolve(body),
        answers: Object.fromEntries(answers),
      };
      return { id: operationId, tags, described };
    }),
  );
  // The page at the root is for people.
  return operations.filter(({ id }) => id !== "index");
}

function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  text: "text/plain",
  stream: "text/event-stream",
  document: "application/json",
};

/** An operation as the client has it, by the schemas that give its types. */
function describedByClient(id: string, operation: Operation, schemas: RequestSchemas): Described {
  const app = new OpenAPIHono();
  const { body, ...request } = schemas;
  app.openAPIRegistry.registerPath({
    method: "get",
    path: "/",
    operationId: id,
    request,
    responses: {},
  });
  const generated = app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
  const { paths } = documentForm.pick({ paths: true }).parse(generated);
  const [own] = operationsOf({ paths, components: { schemas: {} } });
  const resources = new Map<string, z.ZodType>(Object.entries(HTTP_RESOURCES));
  const answers = [operation.response].flat().map((answer) => {
    const schema = resources.get(answer);
    return schema === undefined ? [MEDIA_TYPES[answer], true] : [answer, jsonSchemaOf(schema)];
  });
  return {
    method: operation.method,
    path: operation.path,
    parameters: own?.described.parameters ?? {},
    body: body && jsonSchemaOf(body),
    answers: Object.fromEntries(answers),
  };
}

/** A schema as it is in the document. */
function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io: "input" });
  return JSON.parse(JSON.stringify(described));
}

const COMMAND_PATH = /^\/api\/v1\/(?!admin\/)[\w-]+\/\{id\}\/[\w-]+$/;

/** Every difference between a document and the client, one line each. */
function differencesFrom(document: Document): string[] {
  const { executeCommand, readModel, ...others } = OPERATIONS;
  const own = new Map<string, Operation>(Object.entries(others));
  const schemas = new Map<string, RequestSchemas>(Object.entries(HTTP_REQUESTS));
  const operations = operationsOf(document);
  const known = new Set(operations.map(({ id }) => id));
  const extra = [...own.keys()]
    .filter((id) => !known.has(id))
    .map((id) => `${id}: the API has no such operation`);
  const faults = operations.flatMap(({ id, tags, described }) => {
    const operation = own.get(id);
    const request = schemas.get(id);
    if (operation !== undefined && request !== undefined) {
      return compare(id, describedByClient(id, operation, request), described);
    }
    if (COMMAND_PATH.test(described.path)) {
      const command = describedByClient(id, executeCommand, HTTP_REQUESTS.executeCommand);
      // The data of a command is typed by its decider.
      const body = describeCommandBody(HTTP_REQUESTS.executeCommand.body);
      const withoutData = { ...described, path: executeCommand.path, body: withAnyData(described.body) };
      return compare(id, { ...command, body: withAnyData(body) }, withoutData);
    }
    // Read models of applications are read by their paths, and typed by their definitions.
    const isReadModel = tags.includes("read models") && /^\/api\/v1\/[a-z-]+$/.test(described.path);
    return isReadModel && described.method === readModel.method ? [] : [`${id}: the client lacks it`];
  });
  return [...extra, ...faults];
}

function withAnyData(body: unknown): unknown {
  const { properties, required, ...rest } = z
    .looseObject({ properties: z.record(z.string(), z.unknown()), required: z.array(z.string()).default([]) })
    .parse(body);
  return {
    ...rest,
    properties: { ...properties, data: true },
    required: required.filter((name) => name !== "data"),
  };
}

function compare(id: string, client: Described, document: Described): string[] {
  return leavesOf(client, document, id);
}

/** The paths at which two values differ. */
function leavesOf(client: unknown, document: unknown, path: string): string[] {
  if (!isObject(client) || !isObject(document)) {
    const [own, theirs] = [JSON.stringify(client), JSON.stringify(document)];
    return own === theirs ? [] : [`${path}: ${own} in the client, ${theirs} in the document`];
  }
  const names = new Set([...Object.keys(client), ...Object.keys(document)]);
  return [...names].flatMap((name) => leavesOf(client[name], document[name], `${path}.${name}`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

describe("the client", async () => {
  const document = documentForm.parse(await (await unservedApp().request("/openapi.json")).json());

  it("has every operation of the API's document, with the same request and answer", () => {
    expect(operationsOf(document).length).toBeGreaterThan(30);
    expect(differencesFrom(document)).toEqual([]);
  });

  /** Lists as the document has them: what leads to the next page, and the parameter or field that takes it. */
  const leads = [
    ["nextCursor", "cursor"],
    ["previousCursor", "cursor"],
    ["next", "after"],
  ] as const;
  const form = z.looseObject({ type: z.string() });
  const fields = z.looseObject({ properties: z.record(z.string(), z.unknown()) });
  it("takes the cursor of a page in the form in which every list answers it", () => {
    const paged = operationsOf(document).flatMap(({ id, described }) =>
      Object.values(described.answers).flatMap((answer) =>
        leads.flatMap(([answered, taken]) => {
          const cursor = fields.safeParse(answer).data?.properties[answered];
          if (cursor === undefined) return [];
          const parameter = z
            .looseObject({ schema: z.unknown() })
            .safeParse(described.parameters[`query ${taken}`]);
          const field = fields.safeParse(described.body).data?.properties[taken];
          return {
            id,
            answered: form.parse(cursor).type,
            taken: form.parse(parameter.data?.schema ?? field).type,
          };
        }),
      ),
    );
    const lists = new Set(paged.map(({ id }) => id));
    expect([...lists].sort()).toEqual([
      "aggregateHistory",
      "auditLog",
      "getTrace",
      "listDeadLetters",
      "listEventTypes",
      "listEvents",
      "listUnprocessedEvents",
      "notes",
      "retryDeadLetters",
    ]);
    for (const { id, answered, taken } of paged) expect({ id, taken }).toEqual({ id, taken: answered });
  });

  /** The differences from a document in which one thing was changed. */
  function differencesAfter(change: (changed: Document) => unknown): string[] {
    const changed = structuredClone(document);
    change(changed);
    return differencesFrom(changed);
  }
  const list = (changed: Document) => changed.paths["/api/v1/events"]?.["get"];
  it.each<[what: string, change: (changed: Document) => unknown, differences: string[]]>([
    [
      "an operation that it lacks",
      ({ paths }) => {
        paths["/api/v1/snapshots"] = {
          get: { operationId: "listSnapshots", tags: [], parameters: [], responses: {} },
        };
      },
      ["listSnapshots: the client lacks it"],
    ],
    [
      "an operation that is gone",
      ({ paths }) => delete paths["/api/v1/status"],
      ["status: the API has no such operation"],
    ],
    [
      "a parameter of another name",
      (changed) => {
        for (const each of list(changed)?.parameters ?? []) if (each.name === "limit") each.name = "pageSize";
      },
      [
        expect.stringMatching(/^listEvents\.parameters\.query limit: .* undefined in the document$/),
        expect.stringMatching(/^listEvents\.parameters\.query pageSize: undefined in the client/),
      ],
    ],
    [
      "a parameter that became required",
      (changed) => {
        for (const each of list(changed)?.parameters ?? []) if (each.name === "type") each.required = true;
      },
      ["listEvents.parameters.query type.required: false in the client, true in the document"],
    ],
    [
      "a parameter of another type",
      (changed) => {
        for (const each of list(changed)?.parameters ?? [])
          if (each.name === "order") each.schema["enum"] = ["asc"];
      },
      ['listEvents.parameters.query order.schema.enum.1: "desc" in the client, undefined in the document'],
    ],
    [
      "a field of a body that it lacks",
      (changed) => {
        const body = changed.paths["/api/v1/admin/projections/{name}/rebuild"]?.["post"]?.requestBody;
        Object.assign(body?.content["application/json"]?.schema["properties"] ?? {}, {
          wait: { type: "boolean" },
        });
      },
      ['rebuildProjection.body.properties.wait: undefined in the client, {"type":"boolean"} in the document'],
    ],
    [
      "a field of a command's body that it lacks",
      (changed) => {
        const body = changed.paths["/api/v1/reservations/{id}/create"]?.["post"]?.requestBody;
        Object.assign(body?.content["application/json"]?.schema["properties"] ?? {}, {
          tenant: { type: "string" },
        });
      },
      [
        'create-reservation.body.properties.tenant: undefined in the client, {"type":"string"} in the document',
      ],
    ],
    [
      "a field of a response of another type",
      (changed) => {
        Object.assign(changed.components.schemas["Health"]?.["properties"] ?? {}, {
          status: { type: "integer" },
        });
      },
      [
        'health.answers.Health.properties.status.type: "string" in the client, "integer" in the document',
        'health.answers.Health.properties.status.const: "ok" in the client, undefined in the document',
      ],
    ],
    [
      "a response that is another resource",
      (changed) => {
        const { content: answer } = list(changed)?.responses["200"] ?? {};
        Object.assign(answer ?? {}, {
          "application/json": { schema: { $ref: "#/components/schemas/StreamPage" } },
        });
      },
      [
        expect.stringMatching(/^listEvents\.answers\.EventPage: .* undefined in the document$/),
        expect.stringMatching(/^listEvents\.answers\.StreamPage: undefined in the client/),
      ],
    ],
  ])("differs from a document with %s", (_, change, differences) => {
    expect(differencesAfter(change)).toEqual(differences);
  });
});
