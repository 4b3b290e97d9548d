/** The seeded domain: notes, tasks, open loops and reservations, defined with the public API of an application. */

export { noteCreationReactor } from "./notes/note-creation-reactor.ts";
export { type NotesQuery, type NoteView, notesOf } from "./notes/notes-of.ts";
export { notesProjection } from "./notes/notes-projection.ts";
export {
  countOpenLoops,
  type OpenLoop,
  type OpenLoopStatus,
  openLoopsProjection,
  type WhatsNextOptions,
  whatsNext,
} from "./open-loops/open-loops.ts";
export {
  type ReservationRule,
  type ReservationState,
  type ReservationStatus,
  reservationDecider,
  reservationState,
} from "./reservations/reservation-decider.ts";
export {
  type ReservationView,
  reservationsBetween,
  reservationsOfGuest,
  reservationsProjection,
} from "./reservations/reservations-projection.ts";
export { seededDomain } from "./seeded-domain.ts";
export { openTasks, type TaskView, tasksViewProjection } from "./tasks/tasks-view.ts";
