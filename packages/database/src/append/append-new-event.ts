import type { ExpectedVersion, SynapEvent } from "@synap/types";
import { epochMs, isoFromEpoch } from "../connection/moments.ts";
import type { SqlSession } from "../connection/sql-session.ts";
import { type AppendedEvent, MAX_APPEND_EVENTS } from "./append-outcome.ts";
import { appendStatements, expectedVersion, type WaitOptions } from "./append-statements.ts";

interface Answer {
  readonly number: number;
  readonly recorded_at: number;
  readonly version_before: number;
}

// The text is cast here: as a json parameter, drivers would write JSON text as a JSON string.
const STATEMENTS = appendStatements({
  columns: `number, ${epochMs("recorded_at")} AS recorded_at, version_before`,
  call: (expected) => `synap.append_new_event($1::text::json, ${expected})`,
  expected: "$2::text::bigint",
  lockTimeout: "$3",
});

/** As `appendNewEvents`, for one event that goes to a stream without further ones being compared: most appends are. */
export async function appendNewEvent(
  session: SqlSession,
  event: SynapEvent,
  expected: ExpectedVersion,
  options: WaitOptions,
): Promise<AppendedEvent> {
  const version = expectedVersion(expected);
  const { text, parameters } = STATEMENTS(options);
  const [answer] = await session.query<Answer>(text, [
    JSON.stringify(columnsOf(event)),
    version === null ? null : String(version),
    ...parameters,
  ]);
  if (answer === undefined) throw new Error("append_new_event gave no answer.");
  return {
    outcome: {
      status: "stored",
      id: event.id,
      position: answer.number * MAX_APPEND_EVENTS,
      streamVersion: answer.version_before + 1,
    },
    recordedAt: isoFromEpoch(answer.recorded_at),
  };
}

/** The event under the names of the columns of `synap.events`. */
function columnsOf(event: SynapEvent): Record<string, unknown> {
  const { id, version, type, data, metadata, source, timestamp } = event;
  return {
    id,
    version,
    type,
    data,
    metadata,
    source,
    timestamp,
    aggregate_type: event.aggregateType,
    aggregate_id: event.aggregateId,
    user_id: event.userId,
    created_by: event.createdBy,
    request_id: event.requestId,
    correlation_id: event.correlationId,
    causation_id: event.causationId,
    idempotency_key: event.idempotencyKey,
    valid_from: event.validFrom,
    valid_to: event.validTo,
  };
}
