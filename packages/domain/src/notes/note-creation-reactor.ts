import { defineHandler, derivedEventId } from "@synap/handlers";
import { noteCreationRequested, type StoredEventOf, type SynapEvent } from "@synap/types";

const NAME = "note-creation-reactor";

/**
 * Makes the note that somebody asked for: every `note.creation.requested` is answered by one
 * `note.creation.completed` of the same note, caused by the request and in its correlation. The answer's id
 * derives from the request's, so a request that comes again has been answered already.
 */
export const noteCreationReactor = defineHandler({
  name: NAME,
  description: "Creates the note that was requested.",
  events: [noteCreationRequested],
  mode: "async",
  async handle(events, { append }) {
    await append(events.map(completion));
  },
});

function completion(request: StoredEventOf<readonly [typeof noteCreationRequested]>): SynapEvent {
  const { content, title, tags } = request.data;
  return {
    id: derivedEventId({ handler: NAME, cause: request.id }),
    version: "v1",
    type: "note.creation.completed",
    aggregateType: request.aggregateType,
    aggregateId: request.aggregateId,
    data: {
      content,
      ...(title !== undefined && { title }),
      ...(tags !== undefined && { tags }),
    },
    ...(request.userId !== undefined && { userId: request.userId }),
    createdBy: "system",
    source: NAME,
    // When the store took the request, which is the same whenever this runs, and not before the request itself.
    timestamp: laterOf(request.recordedAt, request.timestamp),
    ...(request.requestId !== undefined && { requestId: request.requestId }),
    correlationId: request.correlationId ?? request.id,
    causationId: request.id,
  };
}

/** The later of two timestamps in the one written form, which sorts as text. */
function laterOf(one: string, other: string): string {
  return one < other ? other : one;
}
