import { sqlState } from "@synap/database";
import type { z } from "zod";
import type { ApiApp, ApiPorts } from "../../api-context.ts";
import { Problem } from "../../problems/problem.ts";
import { answerPage } from "../answer-page.ts";
import { jsonAnswer, problemAnswers, readQuery, registerRoute } from "../route-registration.ts";

/** SQLSTATE undefined_table: of a view too. */
const UNDEFINED_TABLE = "42P01";

/** A question that a read model answers. */
export interface ReadModelRoute<Query extends z.ZodObject> {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly query: Query;
  /** The form of the answer: the name of a component. */
  readonly component: string;
  /** Reads at most so many bytes of rows that may be large, and the row that reaches them. */
  readonly read: (
    session: ApiPorts["readModels"],
    query: z.output<Query>,
    maxBytes: number,
  ) => Promise<object>;
}

/** Registers a route that reads a read model. One that no worker has made yet is a problem of its own, not a fault. */
export function readModelRoute<Query extends z.ZodObject>(
  app: ApiApp,
  { readModels, pages }: Pick<ApiPorts, "readModels" | "pages">,
  { query: schema, component, read, ...described }: ReadModelRoute<Query>,
): void {
  const route = {
    method: "get" as const,
    tags: ["read models"],
    request: { query: schema },
    responses: {
      200: jsonAnswer("What the read model holds at the moment.", component),
      ...problemAnswers(
        "parameter-invalid",
        "parameter-unknown",
        "read-model-missing",
        "too-many-pages",
        "database-unavailable",
      ),
    },
    ...described,
  };
  registerRoute(app, route, async (context) => {
    const query = readQuery(context, schema);
    return answerPage(context, pages, async (maxBytes) => ({
      body: await read(readModels, query, maxBytes).catch(missing),
    }));
  });
}

function missing(cause: unknown): never {
  if (sqlState(cause) !== UNDEFINED_TABLE) throw cause;
  throw new Problem("read-model-missing", "No worker has made this read model yet. Start one that has it.", {
    retryAfterSeconds: 5,
    cause,
  });
}
