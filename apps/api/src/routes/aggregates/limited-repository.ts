import { EventIdConflictError, type Visibility } from "@synap/database";
import { limitedAppends, StreamTakenError } from "@synap/database/internal";
import { createAggregateRepository } from "@synap/handlers";
import type { ServedAggregate } from "@synap/synap/internal";
import type { StreamName } from "@synap/types";
import type { ApiDependencies } from "../../api-dependencies.ts";

/**
 * The repository by which a caller executes commands on an aggregate. If he sees its stream, it is the one for all, because rules
 * decide on everything that has happened. If not, the aggregate does not exist for him: he may create it, if nobody has.
 */
export async function limitedRepository(
  { decider, repository }: ServedAggregate,
  store: ApiDependencies["store"],
  visibility: Visibility,
  aggregateId: string,
): Promise<Pick<ServedAggregate["repository"], "execute">> {
  if ("all" in visibility) return repository;
  const stream: StreamName = { aggregateType: decider.name, aggregateId };
  const { getStream, readStream } = store.visibleTo(visibility);
  if ((await getStream(stream)) !== undefined) return repository;
  const { findDuplicates } = store;
  const appends = limitedAppends(store, visibility);
  const appendToStream: typeof appends.appendToStream = (...append) =>
    appends.appendToStream(...append).catch((cause: unknown) => {
      // The ids of a command's events follow from its key: somebody else has executed it under the same one.
      throw cause instanceof EventIdConflictError ? new StreamTakenError(stream, { cause }) : cause;
    });
  return createAggregateRepository({ decider, store: { readStream, appendToStream, findDuplicates } });
}
