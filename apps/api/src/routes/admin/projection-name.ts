import { projectionPath } from "@synap/types/http";
import { z } from "zod";
import type { ApiContext } from "../../api-dependencies.ts";
import { readPathParameter, readQuery } from "../route-registration.ts";

const noQuery = z.strictObject({});

/** Returns the name of the projection in the address. @throws Problem for an invalid name, or when there are parameters */
export function readProjectionName(context: ApiContext): string {
  readQuery(context, noQuery);
  return readPathParameter(context, "name", projectionPath.shape.name);
}
