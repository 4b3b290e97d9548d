import type { DeadLetter, DeadLetterFilter, DeadLetterPage } from "@synap/database";
import type { PersonalData } from "@synap/database/internal";
import type { ActorOptions, RetriedDeadLetters, RetryFilter } from "@synap/handlers";
import type { EngineDeadLetters, KnownNames } from "@synap/handlers/internal";
import type { EventTypeMap, StoredEvent, StoredEventIn } from "@synap/types";
import type { ApplicationParts } from "./config.ts";

/**
 * The name under which dead letters are stored: that of a handler, of a build of a projection as `PROJECTION/BUILD`, or
 * `ingest-events` for events that the store refused.
 */
export type DeadLetterHandler<Parts extends ApplicationParts> =
  | Parts["handlers"]
  | `${Parts["projections"]}/${number}`
  | "ingest-events";

type OfHandler<Filter, Parts extends ApplicationParts> = Omit<Filter, "handler"> & {
  readonly handler?: DeadLetterHandler<Parts> | undefined;
};

/** The operations on dead letters. */
export interface DeadLetters<Event extends StoredEvent, Parts extends ApplicationParts = ApplicationParts>
  extends Pick<EngineDeadLetters, "retry" | "skip"> {
  /**
   * Lists dead letters, newest first: 100 unless `limit` is given, and fewer if they are large.
   * @throws UnknownNameError for a handler or an aggregate type that neither the application nor a dead letter has
   */
  list(filter?: OfHandler<DeadLetterFilter, Parts>): Promise<readonly DeadLetter<Event>[]>;
  /** Reads one page of dead letters, newest first. @throws as `list` */
  page(filter?: OfHandler<DeadLetterFilter, Parts>): Promise<DeadLetterPage<Event>>;
  /** Retries the open dead letters that match, the oldest first. @throws as `list` */
  retryAll(filter: OfHandler<RetryFilter, Parts>, by: ActorOptions): Promise<RetriedDeadLetters>;
}

/**
 * Dead letters whose stored events have the types of the catalogue, with filters whose names are checked. The events are as they were
 * stored, with personal data opened: that one of them can't be read at the current version may be the reason.
 */
export function typedDeadLetters<Types extends EventTypeMap>(
  deadLetters: EngineDeadLetters,
  names: KnownNames,
  personalData: Pick<PersonalData, "open"> | undefined,
): DeadLetters<StoredEventIn<Types>> {
  const typed = async (untyped: readonly DeadLetter[]) => {
    const stored = untyped.flatMap((each) => (each.stage === "storing" ? [] : [each.event]));
    const opened = ((await personalData?.open(stored)) ?? stored).values();
    return untyped.flatMap((deadLetter): DeadLetter<StoredEventIn<Types>>[] => {
      if (deadLetter.stage === "storing") return [deadLetter];
      const { value: event } = opened.next();
      return event === undefined ? [] : [{ ...deadLetter, event: event as StoredEventIn<Types> }];
    });
  };
  const check = async ({ handler, aggregateType }: DeadLetterFilter) => {
    await names.check("handler", handler);
    await names.check("aggregate type", aggregateType);
  };
  return {
    async list(filter = {}) {
      await check(filter);
      return typed(await deadLetters.list(filter));
    },
    async page(filter = {}) {
      await check(filter);
      const page = await deadLetters.page(filter);
      return { ...page, deadLetters: await typed(page.deadLetters) };
    },
    retry: (id, by) => deadLetters.retry(id, by),
    async retryAll(filter, by) {
      await check(filter);
      return deadLetters.retryAll(filter, by);
    },
    skip: (id, decision) => deadLetters.skip(id, decision),
  };
}
