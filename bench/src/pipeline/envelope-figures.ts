import { packEvents } from "@synap/handlers/internal";
import type { Figure } from "../benchmark.ts";
import { makeEvents } from "../events/make-events.ts";
import { PIPELINE_BATCH } from "./measure-pipeline.ts";

/** Of an envelope: to the server, and from there to the worker, whose one step stores it. */
const REQUESTS = 2;

/** Cost of an event on its way through an Inngest server, which can be counted without one. */
export async function envelopeFigures(): Promise<Figure[]> {
  const { size, streams } = PIPELINE_BATCH;
  const events = makeEvents({ count: size, streams });
  const json = JSON.stringify(events);
  const envelope = JSON.stringify(await packEvents(events, json));
  const plain = Math.round(Buffer.byteLength(json) / size);
  return [
    {
      id: "pipeline.envelope.bytes",
      name: `an event on its way to an Inngest server, in an envelope of ${size.toLocaleString("en")}`,
      value: Buffer.byteLength(envelope) / size,
      unit: "bytes/event",
      better: "lower",
      note: `${plain} bytes as JSON.`,
    },
    {
      id: "pipeline.envelope.calls",
      name: `HTTP requests for an event on that way, in an envelope of ${size.toLocaleString("en")}`,
      value: REQUESTS / size,
      unit: "requests/event",
      better: "lower",
      note:
        "One takes the envelope to the server, and one from the server to the worker contains it twice, as `event` and in `events`. " +
        "An event in an envelope of its own needs both.",
    },
  ];
}
