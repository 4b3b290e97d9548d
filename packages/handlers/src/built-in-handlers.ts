import type { IEventHandler } from "./dispatch/event-handler.ts";
import { noteCreationReactor } from "./notes/note-creation-reactor.ts";
import { noteProjector } from "./notes/note-projector.ts";

/** The handlers that come with Synap, in the order in which the inline ones run. */
export const builtInHandlers: readonly IEventHandler[] = [noteProjector, noteCreationReactor];
