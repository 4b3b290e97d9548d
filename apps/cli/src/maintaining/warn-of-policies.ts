import type { Database } from "@synap/database";
import { type ForeignPolicy, foreignPolicies } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";

/** Warns of policies that TimescaleDB itself has for the log. */
export async function warnOfPolicies(database: Database): Promise<void> {
  for (const policy of await database.asOwner(foreignPolicies)) console.error(`warning: ${describe(policy)}`);
}

function describe({ job, kind }: ForeignPolicy): string {
  const what = `Job ${job} of TimescaleDB ${kind} chunks of synap.events`;
  return kind === "drops"
    ? `${what}, with events of every type. End it, and use ${commandOf("retention")}: SELECT remove_retention_policy('synap.events')`
    : `${what}: pages may lack late events. End it, and use ${commandOf("compress")}: SELECT remove_compression_policy('synap.events')`;
}
