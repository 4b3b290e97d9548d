import { createSynapClient, isProblem } from "@synap/client";
import type { seedCatalogue } from "@synap/types";

/** URL of the API, and a token for subscriptions. */
export interface Destination {
  readonly url: string;
  readonly token: string;
}

/** Observations of a visit. */
export interface Visit {
  readonly published: string;
  readonly query: readonly string[];
  readonly followed: readonly string[];
  readonly actualVersion: number;
}

/** Publishes, reads, runs into a version conflict and follows events: the same program in every runtime. */
export async function visit({ url, token }: Destination): Promise<Visit> {
  const synap = createSynapClient<typeof seedCatalogue>({ url, token });
  const note = (content: string) => ({ type: "note.creation.requested", data: { content } }) as const;

  const task = (title: string) => ({ type: "task.created", data: { title } }) as const;

  const correlationId = crypto.randomUUID();
  const accepted = await Promise.all(
    ["one", "two", "three"].map((content) => synap.publish({ ...note(content), correlationId })),
  );
  const [published] = await Promise.all(accepted.map(({ id }) => synap.waitUntilStored(id)));
  const query: string[] = [];
  const found = synap.query({ type: "note.creation.requested", correlationId, pageSize: 2 });
  for await (const { data } of found) query.push(data.content);

  const stream = { aggregateType: "task", aggregateId: crypto.randomUUID() };
  const { position } = await synap.append(stream, [task("before")]);
  const followed: string[] = [];
  const events = synap.subscribe({
    from: position,
    type: "task.created",
    stream,
    // Appended when the connection is open, so that it carries them live.
    onConnect: () => void synap.append(stream, [task("live"), task("last")]),
  });
  for await (const { data } of events) {
    followed.push(data.title);
    if (data.title === "last") break;
  }

  const conflict: unknown = await synap
    .append(stream, [task("late")], { expectedVersion: 1 })
    .catch((error: unknown) => error);
  if (!isProblem(conflict, "optimistic-lock")) throw conflict;
  return {
    published: published?.type ?? "",
    query: query.sort(),
    followed,
    actualVersion: conflict.problem.actualVersion,
  };
}
