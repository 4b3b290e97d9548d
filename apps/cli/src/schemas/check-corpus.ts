import type { Database } from "@synap/database";
import { type StoredVersion, sampleEvents, storedTypeNames, storedVersions } from "@synap/database/internal";
import { checkStoredEvent, type StoredEventFault } from "@synap/service/catalogue-lock";
import type { EventCatalogue } from "@synap/types";
import { counted } from "@synap/types/internal";
import { ProgressLine } from "../terminal/progress-line.ts";

/** The stored events of one version of an event type, of which some were read. */
export interface CorpusVersion extends Pick<StoredVersion, "type" | "schemaVersion" | "events"> {
  /** Events that were read. */
  readonly checked: number;
  /** Those of them that the code can't read at the current version. */
  readonly failed: number;
  /** The first of them. */
  readonly faults: readonly StoredEventFault[];
  /** True if none was read, because fields of the version are sealed as personal data. */
  readonly sealed?: true;
}

/** Faults that are listed of one version. */
const LISTED = 5;

/** Reads a sample of the stored events of every type and version as the code would, one event at a time. */
export async function checkCorpus(
  database: Database,
  catalogue: EventCatalogue,
  size: number,
): Promise<readonly CorpusVersion[]> {
  const line = new ProgressLine();
  try {
    const types = await storedTypeNames(database);
    const versions: CorpusVersion[] = [];
    for (const [index, type] of types.entries()) {
      line.show(index / types.length, `reading stored events of ${type}`);
      for (const version of await storedVersions(database, type))
        versions.push(
          await checkVersion(database, catalogue, version, size, (checked) =>
            line.show(index / types.length, `${counted(checked, "event")} of ${type} read`),
          ),
        );
    }
    return versions;
  } finally {
    line.end();
  }
}

async function checkVersion(
  database: Database,
  catalogue: EventCatalogue,
  stored: StoredVersion,
  size: number,
  onProgress: (checked: number) => void,
): Promise<CorpusVersion> {
  const { type, schemaVersion, events } = stored;
  if (isSealed(catalogue, stored))
    return { type, schemaVersion, events, checked: 0, failed: 0, faults: [], sealed: true };
  const faults: StoredEventFault[] = [];
  let [checked, failed] = [0, 0];
  for await (const event of sampleEvents(database, stored, size)) {
    checked += 1;
    const fault = checkStoredEvent(catalogue, event);
    if (fault !== undefined) {
      failed += 1;
      if (faults.length < LISTED) faults.push(fault);
    }
    onProgress(checked);
  }
  return { type, schemaVersion, events, checked, failed, faults };
}

/** Sealed values are not those that the schema is about. */
function isSealed(catalogue: EventCatalogue, { type, schemaVersion }: StoredVersion): boolean {
  const definition = catalogue.get(type);
  const version = definition?.earlier[schemaVersion - 1] ?? definition;
  return version !== undefined && version.personal.length > 0;
}
