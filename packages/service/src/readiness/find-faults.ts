import { withTimeLimit } from "@synap/database/internal";
import type { Logger } from "pino";
import { NotReadyError } from "./not-ready-error.ts";
import type { ReadinessCheck } from "./readiness-checks.ts";

/** Timeout of one check, in milliseconds: less than the usual timeout of a probe. */
const CHECK_TIMEOUT_MS = 2_000;

/** The fault of each check by name; undefined where the dependency is available. */
export type ReadinessFindings = ReadonlyMap<string, NotReadyError | undefined>;

/**
 * Creates a function that runs all checks concurrently. The cause of a fault is logged when a check begins to fail or its
 * fault changes, not at every probe.
 */
export function createFaultFinder(
  checks: readonly ReadinessCheck[],
  logger: Logger,
): () => Promise<ReadinessFindings> {
  const known = new Map<string, string | undefined>();
  return async () => {
    const found = await Promise.all(checks.map(async (one) => [one.name, await faultOf(one)] as const));
    for (const [check, fault] of found) {
      if (fault?.code === known.get(check)) continue;
      known.set(check, fault?.code);
      if (fault === undefined) logger.info({ check }, "ready again");
      else logger.warn({ check, code: fault.code, err: fault.cause }, `not ready: ${fault.message}`);
    }
    return new Map(found);
  };
}

/** Converts findings to the response of a probe: `ok` or a code for each check, and the messages of the faults. */
export function readinessResponse(findings: ReadinessFindings): {
  readonly checks: Readonly<Record<string, string>>;
  readonly reasons: readonly string[];
} {
  const found = [...findings];
  return {
    checks: Object.fromEntries(found.map(([name, fault]) => [name, fault?.code ?? "ok"])),
    reasons: [...new Set(found.flatMap(([, fault]) => fault?.message ?? []))],
  };
}

async function faultOf({ check }: ReadinessCheck): Promise<NotReadyError | undefined> {
  try {
    await withTimeLimit(check(), CHECK_TIMEOUT_MS, () => {
      throw new NotReadyError("too-slow");
    });
    return undefined;
  } catch (error) {
    return error instanceof NotReadyError
      ? error
      : new NotReadyError("database-unavailable", { cause: error });
  }
}
