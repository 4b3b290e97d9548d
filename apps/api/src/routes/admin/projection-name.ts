import { projectionPath } from "@synap/types/http";
import type { ApiContext } from "../../api-dependencies.ts";
import { readPathParameter, refuseQuery } from "../route-registration.ts";

/** Returns the name of the projection in the address. @throws Problem for an invalid name, or when there are parameters */
export function readProjectionName(context: ApiContext): string {
  refuseQuery(context);
  return readPathParameter(context, "name", projectionPath.shape.name);
}
