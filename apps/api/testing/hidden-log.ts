import { randomUUID } from "node:crypto";
import type { Database } from "@synap/database";
import { createEventStore } from "@synap/database/internal";
import {
  createSynapEvent,
  defineEventType,
  type StoredEvent,
  type SynapEvent,
  seedCatalogue,
} from "@synap/types";
import { actorOf, DEFAULT_SCOPES, type PrincipalKind } from "@synap/types/http";
import { z } from "zod";
import { createTestKey } from "./test-keys.ts";

/** A principal that calls the API. */
export interface Caller {
  readonly kind: PrincipalKind;
  readonly id: string;
  readonly token: string;
  /** An event of its own, in the stream `note/{id}-note` and the flow `{id}-flow`. */
  readonly eventId: string;
}

/** A log with rows of one user, which three others must not see, and with a few of each of these. */
export interface HiddenLog {
  /** The user `bee`, whose every text begins with `bee-`. */
  readonly owner: Caller;
  /** A user, an agent and a machine: they may read their own rows. */
  readonly strangers: readonly Caller[];
  readonly staff: Caller;
  /** Events of the owner: of his stream `note/bee-note`, and one that he has put into each stranger's stream. */
  readonly events: readonly StoredEvent[];
  /** Version of `note/bee-note`. */
  readonly version: number;
  /** Texts that no answer to a stranger may have: ids, times and every text of the owner. */
  readonly texts: readonly string[];
  /** Numbers that no answer to a stranger may have: positions and the version. */
  readonly numbers: ReadonlySet<number>;
}

const VERSION = 137;
const OLD = Date.UTC(2019, 2, 3, 4, 5, 6, 7);
const OWNER = { userId: "bee-user", createdBy: "user:bee-user" };

/** An event type that the application no longer has; only the owner has events of it. */
const REMOVED = defineEventType({
  name: "beesecret.kept",
  description: "A secret.",
  schema: z.strictObject({ text: z.string() }),
  example: { text: "x" },
});

/**
 * Stores the log in an empty database.
 *
 * @param more stores further events of the owner
 */
export async function storeHiddenLog(
  database: Database,
  more: (owner: Caller) => Promise<unknown>,
): Promise<HiddenLog> {
  const catalogue = seedCatalogue.extend([REMOVED]);
  const store = createEventStore({ database, catalogue });
  const strangers = await Promise.all([
    caller(database, "user", "ann"),
    caller(database, "agent", "planner"),
    caller(database, "machine", "importer", ["publish", "read"]),
  ]);
  const owner = await caller(database, "user", "bee-user");
  const staff = await caller(database, "staff", "grace");
  const append = async (events: readonly SynapEvent[]) => {
    const outcomes = await store.appendBatch(events, { timestamps: "backfill" });
    const refused = outcomes.filter(({ status }) => status !== "stored");
    if (refused.length > 0) throw new Error(JSON.stringify(refused));
  };
  const notes = (count: number, stream: string, more: object = {}) =>
    Array.from({ length: count }, () => beeNote(stream, more));
  await append([owner, ...strangers].slice(1).flatMap((each) => ownEvents(each)));
  await append(notes(VERSION, "bee-note"));
  const secret = { text: "bee-secret-text" };
  await append([
    catalogue.completeEvent({ type: REMOVED.name, aggregateId: "bee-secret", data: secret, ...OWNER }),
    createSynapEvent({
      type: "reservation.created",
      aggregateId: "bee-reservation",
      data: { guestId: "bee-guest", startDate: "2031-07-13", resource: "bee-resource" },
      ...OWNER,
    }),
    ...readModelEvents(),
    ...notes(1, "bee-shared"),
    ...strangers.flatMap(({ id, eventId }) =>
      notes(1, `${id}-note`, { correlationId: `${id}-flow`, causationId: eventId }),
    ),
  ]);
  // A step of staff in the stranger's stream, and the stranger's own event in a stream of the owner.
  await append(
    strangers.flatMap(({ id, kind }) => [
      note(`${id}-note`, "a step", { createdBy: "agent:helper" }),
      note("bee-shared", "mine", actorFieldsOf({ kind, id })),
    ]),
  );
  await more(owner);
  const all: StoredEvent[] = [];
  for (let after = 0, isMore = true; isMore; ) {
    const page = await store.readAll({ after, limit: 1_000 });
    all.push(...page.events);
    after = page.position;
    isMore = !page.caughtUp;
  }
  const events = all.filter(({ userId }) => userId === OWNER.userId);
  const known = new Set(all.filter(({ userId }) => userId !== OWNER.userId).flatMap(textsOf));
  const texts = new Set(events.flatMap(textsOf).filter((text) => text.length > 3 && !known.has(text)));
  for (const word of CATALOGUE_WORDS) texts.delete(word);
  return {
    owner,
    strangers,
    staff,
    events,
    version: VERSION,
    texts: [...texts],
    // A position at the start of an append is a multiple of 1,024, as many limits are.
    numbers: new Set([VERSION, ...events.map(({ position }) => position).filter((each) => each % 1024 > 0)]),
  };
}

async function caller(
  database: Database,
  kind: PrincipalKind,
  id: string,
  scopes = DEFAULT_SCOPES[kind],
): Promise<Caller> {
  return { kind, id, token: await createTestKey(database, kind, id, scopes), eventId: randomUUID() };
}

function actorFieldsOf({ kind, id }: Pick<Caller, "kind" | "id">) {
  return { createdBy: actorOf({ kind, id }), ...(kind === "user" && { userId: id }) };
}

function note(
  aggregateId: string,
  content: string,
  fields: Partial<Omit<SynapEvent, "type" | "data">>,
): SynapEvent {
  return createSynapEvent({ ...fields, type: "note.creation.requested", aggregateId, data: { content } });
}

function ownEvents({ kind, id, eventId }: Caller): SynapEvent[] {
  const fields = { ...actorFieldsOf({ kind, id }), correlationId: `${id}-flow` };
  return [
    note(`${id}-note`, `${id} content`, { ...fields, id: eventId }),
    note(`${id}-other`, `${id} other`, { ...fields, causationId: eventId }),
  ];
}

/** An event of the owner from which an inline handler makes a note. */
export const HIDDEN_NOTE = createSynapEvent({
  type: "note.creation.completed",
  aggregateId: "bee-kept-note",
  data: { content: "bee-kept-content", title: "bee-kept-title" },
  ...OWNER,
});

/** Texts of the owner that are in the description of the application too. */
const CATALOGUE_WORDS = [
  "note.creation.requested",
  "note.creation.completed",
  "reservation.created",
  "reservation",
  "open_loop.opened",
  "open_loop",
  "urgent",
  "task.created",
  "task",
];

/** Events that make rows of read models, which the owner owns. */
function readModelEvents(): SynapEvent[] {
  const { userId } = OWNER;
  return [
    createSynapEvent({
      type: "open_loop.opened",
      aggregateId: "bee-loop",
      data: { ownerId: userId, title: "bee-loop-title", status: "urgent" },
      ...OWNER,
    }),
    createSynapEvent({
      type: "task.created",
      aggregateId: "bee-task",
      data: { title: "bee-task-title", assigneeId: userId, dueDate: "2031-05-17" },
      ...OWNER,
    }),
    createSynapEvent({
      type: "reservation.created",
      aggregateId: "bee-visit",
      data: { guestId: userId, startDate: "2031-07-19", resource: "bee-visit-room" },
      ...OWNER,
    }),
  ];
}

let count = 0;

/** An event of the owner with a text of its own in every field. */
function beeNote(aggregateId: string, more: object): SynapEvent {
  count += 1;
  return createSynapEvent({
    type: "note.creation.requested",
    aggregateId,
    data: { content: `bee-content-${count}`, title: "bee-title", tags: ["bee-tag"] },
    ...OWNER,
    source: "bee-source",
    requestId: `bee-request-${count}`,
    correlationId: "bee-flow",
    causationId: randomUUID(),
    idempotencyKey: `bee-key-${count}`,
    timestamp: new Date(OLD + count * 61_003).toISOString(),
    metadata: { "bee-name": "bee-metadata" },
    ...more,
  });
}

/** Every text in a value, with the names of fields that the sender chose. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [
    ...(name.startsWith("bee-") ? [name] : []),
    ...textsOf(field),
  ]);
}
