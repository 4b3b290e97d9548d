import { makeEvents } from "../events/make-events.ts";

/** Form of a load's batches. */
export interface BatchPlan {
  /** Events a batch. */
  readonly size: number;
  /** Streams that take turns in a producer's batches; each gets `size * ROUNDS / streams` events and is then left. */
  readonly streams: number;
}

/** Batches of a producer before it begins with new streams. */
const ROUNDS = 10;
/** Producers whose batches take turns, so that batches under way at the same time are of different streams. */
const PRODUCERS = 8;
const LANE_DIGITS = 8;
const LANE = "~".repeat(LANE_DIGITS);
/** Ids sort by time, as those of real events do, and end with the event's number. */
const ID_HEAD = "01980000-0000-7000-8000-";
const ID_DIGITS = 12;

interface Template {
  readonly body: Buffer;
  readonly ids: readonly number[];
  readonly timestamps: readonly number[];
  readonly lanes: readonly number[];
}

/**
 * Request bodies for `POST /api/v1/events/batch`, numbered from 0. The events are made once; each batch is a copy of
 * their JSON into which fresh ids, streams and the time are written. So making a batch costs its sender next to nothing,
 * which matters where the sender shares the machine with what is measured.
 */
export class BatchMaker {
  readonly size: number;
  readonly #templates: readonly Template[];

  constructor({ size, streams }: BatchPlan) {
    this.size = size;
    this.#templates = Array.from({ length: ROUNDS }, (_, round) => makeTemplate(size, streams, round));
  }

  /** The body of a batch, whose events have the numbers from `batch * size` on. Copied anew with each call. */
  make(batch: number): Buffer {
    const template = this.#templates[Math.floor(batch / PRODUCERS) % ROUNDS];
    if (template === undefined) throw new RangeError(`There is no batch ${batch}.`);
    const body = Buffer.from(template.body);
    const lane = (batch % PRODUCERS) + PRODUCERS * Math.floor(batch / (PRODUCERS * ROUNDS));
    const laneName = lane.toString().padStart(LANE_DIGITS, "0");
    for (const place of template.lanes) body.write(laneName, place, "latin1");
    const now = new Date().toISOString();
    for (const place of template.timestamps) body.write(now, place, "latin1");
    let number = batch * this.size;
    for (const place of template.ids) {
      body.write(number.toString(16).padStart(ID_DIGITS, "0"), place, "latin1");
      number += 1;
    }
    return body;
  }
}

/** The SQL expression for the number of an event that a batch maker made. */
export const EVENT_NUMBER_SQL = `('x' || right(id::text, ${ID_DIGITS}))::bit(48)::bigint`;

function makeTemplate(size: number, streams: number, round: number): Template {
  const events = makeEvents({ count: size, streams, first: size * round, lane: LANE }).map((event) => ({
    ...event,
    id: ID_HEAD + "0".repeat(ID_DIGITS),
  }));
  const text = JSON.stringify({ events });
  const body = Buffer.from(text, "utf8");
  if (body.length !== text.length) throw new Error("The places of a template are only right in ASCII.");
  return {
    body,
    ids: placesOf(text, `"id":"${ID_HEAD}`),
    timestamps: placesOf(text, '"timestamp":"'),
    lanes: placesOf(text, '"aggregateId":"'),
  };
}

/** Index after each occurrence of `mark` in the text. */
function placesOf(text: string, mark: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + 1)) places.push(at + mark.length);
  return places;
}
