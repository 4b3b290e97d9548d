import { unservedApp } from "@synap/api/testing/unserved-app.ts";
import { z } from "zod";

/** An operation of the OpenAPI document. */
export interface ApiRoute {
  readonly method: string;
  readonly path: string;
  /** The names of its query parameters. */
  readonly query: readonly string[];
}

const operation = z.object({
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
});

/** Every operation that the API describes. */
export async function routesOfApi(): Promise<ApiRoute[]> {
  const response = await unservedApp().request("/openapi.json");
  const { paths } = z
    .object({ paths: z.record(z.string(), z.record(z.string(), operation)) })
    .parse(await response.json());
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { parameters }]) => ({
      method: method.toUpperCase(),
      path,
      query: parameters.filter((each) => each.in === "query").map(({ name }) => name),
    })),
  );
}

/**
 * Checks that a path on a page matches a route: `{id}` stands for any segment on either side, `...` at the end for all
 * following ones.
 *
 * @param isPrefix takes `/api/v1/admin` for the path of every route below it
 */
export function isPathOf(path: string, route: string, isPrefix = false): boolean {
  const segments = path.replace(/\/?\.\.\.$/, "").split("/");
  const pattern = route.split("/");
  const isOpen = isPrefix || path.endsWith("...");
  if (isOpen ? segments.length > pattern.length : segments.length !== pattern.length) return false;
  return segments.every((segment, index) => {
    const other = pattern[index] ?? "";
    return segment === other || segment.startsWith("{") || other.startsWith("{");
  });
}
