import { createSynapClient } from "@synap/client";

interface Types {
  eventTypes?: { "review.written": { order: string; stars: number } };
}

/** Posts a review, like a page of the shop. */
async function writeReview(order: string, stars: number): Promise<string> {
  const synap = createSynapClient<Types>({ url: "http://127.0.0.1:3400" });
  const published = await synap.publish({ type: "review.written", data: { order, stars } });
  return published.id;
}

Object.assign(globalThis, { writeReview });
