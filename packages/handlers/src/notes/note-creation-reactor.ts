import type { StoredEvent, SynapEvent } from "@synap/types";
import { derivedEventId } from "../derived-event-id.ts";
import type { IEventHandler } from "../dispatch/event-handler.ts";
import { RefusedReactionError } from "../refused-reaction-error.ts";

const NAME = "note-creation-reactor";

/**
 * Makes the note that somebody asked for: every `note.creation.requested` is answered by one
 * `note.creation.completed` of the same note, caused by the request and in its correlation. The answer's id
 * derives from the request's, so a request that comes again has been answered already.
 */
export const noteCreationReactor: IEventHandler = {
  name: NAME,
  description: "Answers a request for a note with the note.",
  eventTypes: ["note.creation.requested"],
  mode: "async",
  async handle(events, { append }) {
    const outcomes = await append(events.map(completion));
    const refused = outcomes.find((outcome) => outcome.status === "rejected");
    if (refused !== undefined) throw new RefusedReactionError(NAME, refused);
  },
};

function completion(request: StoredEvent): SynapEvent {
  const { content, title, tags } = request.data;
  return {
    id: derivedEventId(NAME, request.id),
    version: "v1",
    type: "note.creation.completed",
    aggregateType: request.aggregateType,
    aggregateId: request.aggregateId,
    data: {
      ...(content !== undefined && { content }),
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
