import { createReaction, defineHandler } from "@synap/handlers";
import { noteCreationCompleted, noteCreationRequested } from "@synap/types";

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
