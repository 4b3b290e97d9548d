import type { StreamName } from "@synap/types";
import { streamPath } from "@synap/types/http";
import type { ApiContext } from "../../api-dependencies.ts";
import { readPathParameter } from "../route-registration.ts";

/** Reads the name of a stream from the path. @throws Problem `parameter-invalid` */
export function readStreamName(context: ApiContext): StreamName {
  return {
    aggregateType: readPathParameter(context, "aggregateType", streamPath.shape.aggregateType),
    aggregateId: readPathParameter(context, "aggregateId", streamPath.shape.aggregateId),
  };
}
