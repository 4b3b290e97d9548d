import { createReaction, defineHandler } from "@synap/handlers";
import { noteCreationCompleted, noteCreationRequested } from "@synap/types";

const NAME = "note-creation-reactor";

/**
 * Creates requested notes: appends one `note.creation.completed` for each `note.creation.requested`, with the request as
 * its cause and the same correlation id. Its id derives from the request's, so a redelivered request changes nothing.
 */
export const noteCreationReactor = defineHandler({
  name: NAME,
  description: "Creates the note that was requested.",
  events: [noteCreationRequested],
  mode: "async",
  async handle(events, { append }) {
    await append(
      events.map((request) =>
        createReaction(noteCreationCompleted, {
          handler: NAME,
          cause: request,
          aggregateId: request.aggregateId,
          data: request.data,
        }),
      ),
    );
  },
});
