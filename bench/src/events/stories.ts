import type { EventInput, SeedEvent } from "@synap/types";
import { words } from "./words.ts";

/** An event's type and data, as one of the seed types, for the event number `index` of the stream number `stream`. */
type Scene = (index: number, stream: number) => SceneOf<SeedEvent>;
type SceneOf<Event> = Event extends SeedEvent
  ? Pick<EventInput<Event["type"], Event["data"]>, "type" | "data">
  : never;

/** Event sequences of one kind of aggregate. The data of every event is 300 to 400 bytes of JSON. */
export interface Story {
  readonly aggregateType: string;
  /** The first event of a stream. */
  readonly opening: Scene;
  /** Every other event of it. */
  readonly following: Scene;
}

/**
 * The kinds of aggregates that events are made for, with eight event types. Four of the types feed a built-in read
 * model of their own. Notes are left out: their reactor answers with further events, which would blur the counts.
 */
export const stories: readonly [Story, ...Story[]] = [
  {
    aggregateType: "order",
    opening: (index, stream) => ({
      type: "order.created",
      data: {
        customerId: `customer-${stream % 5_000}`,
        lines: [0, 1, 2].map((line) => ({
          sku: `PUMP-${String((index + line) % 900).padStart(4, "0")}-50LPM`,
          quantity: 1 + (index % 9),
          unitPrice: 1_000 + ((index * 7 + line) % 9_000),
        })),
        total: 3_000 + (index % 90_000),
        currency: "EUR",
        note: words(index, 70),
      },
    }),
    following: (index) => ({
      type: "order.status_changed",
      data: { from: "confirmed", to: "processing", reason: words(index, 300) },
    }),
  },
  {
    aggregateType: "task",
    opening: (index, stream) => ({
      type: "task.created",
      data: {
        title: words(index, 40),
        description: words(index + 1, 180),
        assigneeId: `user-${stream % 1_000}`,
        dueDate: "2026-03-05",
        priority: "normal",
      },
    }),
    following: (index) => ({ type: "task.completed", data: { outcome: words(index, 320) } }),
  },
  {
    aggregateType: "open_loop",
    opening: (index, stream) => ({
      type: "open_loop.opened",
      data: {
        ownerId: `user-${stream % 1_000}`,
        title: words(index, 200),
        status: "waiting",
        score: index % 1_000,
        entityType: "invoice",
        entityId: `invoice-${stream}`,
      },
    }),
    following: (index) => ({
      type: "open_loop.score_changed",
      data: { score: index % 1_000, reason: words(index, 310) },
    }),
  },
  {
    aggregateType: "customer",
    opening: (index, stream) => ({
      type: "customer.registered",
      data: {
        name: words(index, 30),
        email: `customer-${stream}@example.org`,
        phone: "+91 20 5550 1234",
        address: { street: words(index + 1, 140), city: "Pune", postalCode: "411001", country: "IN" },
      },
    }),
    following: (index, stream) => ({
      type: "customer.profile_updated",
      data: {
        changes: {
          email: `customer-${stream}-${index}@example.org`,
          phone: null,
          address: { street: words(index, 180), city: "Pune", postalCode: "411001", country: "IN" },
        },
      },
    }),
  },
];
