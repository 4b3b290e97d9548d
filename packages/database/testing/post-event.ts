import type { EventInput } from "@synap/types";
import type { SqlSession } from "../src/index.ts";

/** Result of `synap.post_event`. */
export interface PostedEvent {
  readonly id: string;
  readonly position: number;
  readonly stream_version: number;
  readonly duplicate: boolean;
}

const POST = `
SELECT id, "position", stream_version, duplicate
  FROM synap.post_event(
    type => $1, data => $2::text::jsonb, aggregate_id => $3, aggregate_type => $4, user_id => $5, created_by => $6,
    correlation_id => $7, causation_id => $8::text::uuid, idempotency_key => $9, expected_version => $10,
    id => $11::text::uuid, "timestamp" => $12::text::timestamptz, metadata => $13::text::jsonb, source => $14,
    request_id => $15, valid_from => $16::text::timestamptz, valid_to => $17::text::timestamptz,
    schema_version => $18::integer)`;

/** Posts an event through SQL, as a program in another language would. */
export async function postEvent(
  session: SqlSession,
  event: EventInput,
  expectedVersion: string | null = null,
): Promise<PostedEvent> {
  const [posted] = await session.query<PostedEvent>(POST, [
    event.type,
    JSON.stringify(event.data),
    event.aggregateId ?? null,
    event.aggregateType ?? null,
    event.userId ?? null,
    event.createdBy ?? null,
    event.correlationId ?? null,
    event.causationId ?? null,
    event.idempotencyKey ?? null,
    expectedVersion,
    event.id ?? null,
    event.timestamp ?? null,
    event.metadata === undefined ? null : JSON.stringify(event.metadata),
    event.source ?? null,
    event.requestId ?? null,
    event.validFrom ?? null,
    event.validTo ?? null,
    event.schemaVersion ?? null,
  ]);
  if (posted === undefined) throw new Error("post_event returned no row.");
  return posted;
}
