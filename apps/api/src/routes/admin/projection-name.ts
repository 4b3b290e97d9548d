import { z } from "zod";
import type { ApiContext } from "../../api-context.ts";
import { readPathParameter, readQuery } from "../route-registration.ts";

const projectionName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,59}$/, "must be the name of a projection: lower case, digits and dashes")
  .describe("The projection's name.");

const noQuery = z.strictObject({});

/** The path parameters of every route of one projection. */
export const projectionParams = z.object({ name: projectionName });

/** Returns the name of the projection in the address. @throws Problem for an invalid name, or when there are parameters */
export function readProjectionName(context: ApiContext): string {
  readQuery(context, noQuery);
  return readPathParameter(context, "name", projectionName);
}
