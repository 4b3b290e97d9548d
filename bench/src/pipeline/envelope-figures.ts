import { packEvents } from "@synap/handlers/internal";
import type { Figure } from "../benchmark.ts";
import { makeEvents } from "../events/make-events.ts";
import { PIPELINE_BATCH } from "./measure-pipeline.ts";

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
      note:
        `${plain} bytes as JSON. An envelope costs two HTTP requests: one takes it to the server, and one from the server to the ` +
        "worker contains it twice, as `event` and in `events`.",
    },
  ];
}
