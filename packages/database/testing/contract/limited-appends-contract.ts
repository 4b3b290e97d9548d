import { randomUUID } from "node:crypto";
import type { ExpectedVersion, StreamName } from "@synap/types";
import fc from "fast-check";
import { expect } from "vitest";
import type { StreamEventInput, Visibility } from "../../src/index.ts";
import { limitedAppends } from "../../src/internal.ts";
import type { ContractTest } from "./contract-tests.ts";
import { freshStream } from "./streams-contract.ts";

/** The callers: what each sees, and the fields that make an event his. */
const CALLERS: readonly { readonly visibility: Visibility; readonly fields: Partial<StreamEventInput> }[] = [
  { visibility: { userId: "ann" }, fields: { userId: "ann", createdBy: "user:ann" } },
  { visibility: { userId: "bob" }, fields: { userId: "bob", createdBy: "user:bob" } },
  { visibility: { createdBy: "agent:planner" }, fields: { createdBy: "agent:planner" } },
  { visibility: { all: true }, fields: { createdBy: "agent:staff" } },
];
const ALL = CALLERS.length - 1;
const EXPECTED: readonly ExpectedVersion[] = ["any", "no-stream", "stream-exists", 0, 1, 2, 5];

const operation = fc.record({
  caller: fc.nat(ALL),
  stream: fc.nat(2),
  expected: fc.constantFrom(...EXPECTED),
  kind: fc.constantFrom("append", "append", "append", "close"),
});

interface ModelStream {
  readonly owner: number;
  version: number;
  isClosed: boolean;
}

/** The outcome of an operation as if only the streams that the caller sees existed. */
function expectedOutcome(
  {
    kind,
    expected,
    caller,
    isTaken,
  }: { kind: string; expected: ExpectedVersion; caller: number; isTaken: boolean },
  seen: ModelStream | undefined,
): string {
  const version = seen?.version ?? 0;
  const isMet =
    expected === "any" ||
    (expected === "no-stream" && version === 0) ||
    (expected === "stream-exists" && version > 0) ||
    expected === version;
  if (kind === "close") {
    if (seen === undefined && isMet) return "STREAM_NOT_FOUND";
    return isMet ? "closed" : `OPTIMISTIC_LOCK ${expected} ${version}`;
  }
  if (seen?.isClosed) return "STREAM_CLOSED";
  if (!isMet) return `OPTIMISTIC_LOCK ${expected} ${version}`;
  return isTaken && caller !== ALL ? "STREAM_TAKEN" : `stored ${version + 1}`;
}

const note = (fields: Partial<StreamEventInput>): StreamEventInput => ({
  type: "note.creation.requested",
  data: { content: "a note" },
  ...fields,
});

/** `limitedAppends`: appending and closing as a caller who may not see every stream. */
export function limitedAppendsContract(test: ContractTest): void {
  test("changes for a caller what he sees or creates, and is otherwise as if nothing else existed", async (store) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 14 }), async (operations) => {
        const names: StreamName[] = [freshStream(), freshStream(), freshStream()];
        const model = new Map<number, ModelStream>();
        for (const { caller, stream: index, expected, kind } of operations) {
          const { visibility, fields } = CALLERS[caller] ?? { visibility: { all: true }, fields: {} };
          const stream = names[index] ?? freshStream();
          const own = model.get(index);
          const isSeen = caller === ALL || own?.owner === caller;
          const seen = isSeen ? own : undefined;
          const outcome = expectedOutcome(
            { kind, expected, caller, isTaken: own !== undefined && !isSeen },
            seen,
          );
          const appends = limitedAppends(store, visibility);
          const work =
            kind === "close"
              ? appends.closeStream(stream, expected).then(() => "closed")
              : appends
                  .appendToStream(stream, expected, [note(fields)])
                  .then(({ streamVersion }) => `stored ${streamVersion}`);
          const found = await work.catch(({ code, actual, message }) =>
            code === "OPTIMISTIC_LOCK"
              ? `${code} ${expected} ${actual}${message.includes(`at version ${actual}, expected ${expected}.`) ? "" : message}`
              : code,
          );
          expect([kind, caller, expected, found]).toEqual([kind, caller, expected, outcome]);
          if (found === "closed" && own !== undefined) own.isClosed = true;
          if (found.startsWith("stored")) {
            if (own === undefined) model.set(index, { owner: caller, version: 1, isClosed: false });
            else own.version += 1;
          }
          const info = await store.getStream(stream);
          const { version, isClosed } = model.get(index) ?? { version: undefined, isClosed: false };
          expect([info?.streamVersion, info?.closedAt !== undefined]).toEqual([version, isClosed]);
        }
      }),
      { numRuns: 25 },
    );
  });

  test("repeats the result of an append, also where the stream is another's", async (store) => {
    const stream = freshStream();
    const [ann] = CALLERS;
    const event = note({ id: randomUUID(), userId: "bob", createdBy: "agent:gateway" });
    const appends = limitedAppends(store, { createdBy: "agent:gateway-of-bob" });
    const first = await appends.appendToStream(stream, "no-stream", [event]);
    expect(first.streamVersion).toBe(1);
    for (const expected of ["no-stream", "any", 7] as const) {
      const again = await appends.appendToStream(stream, expected, [event]);
      expect(again).toEqual({ ...first, events: [{ ...first.events[0], duplicate: true }] });
    }
    const other = limitedAppends(store, { userId: "ann" }).appendToStream(stream, "any", [
      { ...event, ...ann?.fields },
    ]);
    await expect(other).rejects.toMatchObject({ code: "EVENT_ID_CONFLICT" });
  });

  test("lets a caller who appends to a new stream several times at once succeed each time", async (store) => {
    const stream = freshStream();
    const [ann, bob] = CALLERS;
    const append = (caller = ann) =>
      limitedAppends(store, caller?.visibility ?? { all: true }).appendToStream(stream, "any", [
        note(caller?.fields ?? {}),
      ]);
    const results = await Promise.all([append(), append(), append(), append()]);
    expect(results.map(({ streamVersion }) => streamVersion).sort()).toEqual([1, 2, 3, 4]);
    await expect(append(bob)).rejects.toMatchObject({ code: "STREAM_TAKEN", stream });
  });
}
