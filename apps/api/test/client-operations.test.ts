import { OPERATIONS, type Operation } from "@synap/client";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { unservedApp } from "../testing/unserved-app.ts";

const named = z.object({ name: z.string(), in: z.enum(["path", "query", "header"]) });
const documented = z.object({
  operationId: z.string(),
  tags: z.array(z.string()).default([]),
  parameters: z.array(named).default([]),
  responses: z.record(
    z.string(),
    z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })).default({}) }),
  ),
});
const openapi = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });

interface Documented {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly tags: readonly string[];
  readonly query: readonly string[];
  readonly headers: readonly string[];
  /** The resources of its answers of success, or the media type of those that have none. */
  readonly answers: readonly string[];
}

async function operationsOfTheDocument(): Promise<Documented[]> {
  const response = await unservedApp().request("/openapi.json");
  const { paths } = openapi.parse(await response.json());
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== "parameters")
      .map(([method, value]) => {
        const { operationId, tags, parameters, responses } = documented.parse(value);
        const place = (where: string) =>
          parameters.filter((each) => each.in === where).map(({ name }) => name);
        const answers = Object.entries(responses)
          .filter(([status]) => status.startsWith("2"))
          .flatMap(([, { content }]) => Object.entries(content))
          .map(([type, { schema }]) => resourceOf(schema) ?? type);
        return {
          id: operationId,
          method: method.toUpperCase(),
          path,
          tags,
          query: place("query"),
          headers: place("header"),
          answers: [...new Set(answers)],
        };
      }),
  );
}

function resourceOf(schema: unknown): string | undefined {
  const reference = z.object({ $ref: z.string() }).safeParse(schema);
  return reference.success ? reference.data.$ref.split("/").at(-1) : undefined;
}

const FORMS: Readonly<Record<string, string>> = {
  text: "text/plain",
  stream: "text/event-stream",
  document: "application/json",
};

/** An operation of the client as the document would describe it. */
function described(id: string, operation: Operation): Documented {
  const answers = [operation.answer].flat();
  return {
    id,
    method: operation.method,
    path: operation.path,
    tags: [],
    query: operation.query ?? [],
    headers: operation.headers ?? [],
    answers: answers.map((answer) => FORMS[answer] ?? answer),
  };
}

const sorted = ({ query, headers, answers, tags: _, ...rest }: Documented) => ({
  ...rest,
  query: [...query].sort(),
  headers: [...headers].sort(),
  answers: [...answers].sort(),
});

describe("the client", async () => {
  // The page at the root is for people.
  const operations = (await operationsOfTheDocument()).filter(({ id }) => id !== "index");
  const { executeCommand, readModel, ...others } = OPERATIONS;
  const isCommand = ({ path }: Documented) =>
    /^\/api\/v1\/[\w-]+\/\{id\}\/[\w-]+$/.test(path) && !path.startsWith("/api/v1/admin/");

  it.each(operations.filter((operation) => !isCommand(operation)))(
    "has $id as the API's document has it",
    (operation) => {
      const own = Object.entries<Operation>(others).find(([id]) => id === operation.id);
      expect(own, `the client has no operation ${operation.id}`).toBeDefined();
      if (own !== undefined) expect(sorted(described(...own))).toEqual(sorted(operation));
    },
  );

  it("has no operation that the API hasn't", () => {
    const known = new Set(operations.map(({ id }) => id));
    expect(Object.keys(others).filter((id) => !known.has(id))).toEqual([]);
  });

  it("reads every read model by its path, also those that it has no method for", () => {
    const models = operations.filter(({ tags }) => tags.includes("read models"));
    expect(models.length).toBeGreaterThan(0);
    for (const { method, path, headers, answers } of models) {
      expect({ method, headers, answers: answers.length }).toEqual({
        method: readModel.method,
        headers: [],
        answers: 1,
      });
      expect(path).toMatch(new RegExp(`^${readModel.path.replace("{readModel}", "[a-z-]+")}$`));
    }
  });

  it("executes every command of every aggregate", () => {
    const commands = operations.filter(isCommand);
    expect(commands.length).toBeGreaterThan(0);
    for (const { query, headers, answers, method } of commands) {
      const { id: _id, path: _path, ...own } = sorted(described("executeCommand", executeCommand));
      expect({ method, query, headers: [...headers].sort(), answers }).toEqual(own);
    }
  });
});
