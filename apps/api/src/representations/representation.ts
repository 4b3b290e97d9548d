import type { RouteConfig } from "@hono/zod-openapi";
import { readAccept } from "@synap/http";
import type { ApiContext } from "../api-dependencies.ts";
import { inSnakeCase } from "./snake-case.ts";

/** The media type of responses in snake case. */
export const SNAKE_CASE_TYPE = 'application/json; profile="snake"';

/** The spelling that a request asks for; camel case where it asks for nothing else. */
export function spellingOf(context: ApiContext): "camel" | "snake" {
  const header = context.req.header("accept");
  // Few requests ask for it, and all others pay for one search in a short text.
  if (header?.includes("profile") !== true) return "camel";
  const [wanted] = readAccept(header).filter(({ essence }) => essence === "application/json");
  return wanted?.parameters.get("profile") === "snake" ? "snake" : "camel";
}

/** A body about events, as a request asks for it, with its headers. */
export interface Represented {
  readonly body: object;
  readonly headers: Record<string, string>;
}

/** Represents a body about events as the request asks for it. */
export function represent(
  context: ApiContext,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Represented {
  const vary = { ...headers, vary: "accept" };
  if (spellingOf(context) === "camel") return { body, headers: vary };
  return { body: Object(inSnakeCase(body)), headers: { ...vary, "content-type": SNAKE_CASE_TYPE } };
}

/** A response about events, for the definition of a route: as the named component, and the same in snake case. */
export function representedResponse(
  description: string,
  component: string,
): Exclude<RouteConfig["responses"][number], { $ref: string }> {
  return {
    description,
    content: {
      "application/json": { schema: { $ref: `#/components/schemas/${component}` } },
      [SNAKE_CASE_TYPE]: {
        schema: {
          type: "object",
          description: "The same in snake case, but for the names inside `data` and `metadata`.",
        },
      },
    },
  };
}
