import { syncEventTypes } from "@synap/database/internal";
import { describeOnEveryEngine, postEvent } from "@synap/database/testing";
import { createSynapEvent, seedCatalogue } from "@synap/types";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { catchUpFully } from "../../testing/handler-scenario.ts";
import { recordedNotes, recordingProjection } from "../../testing/recording-projection.ts";
import { createSeenTable, seeing } from "../../testing/seen-events.ts";
import { EventDispatcher } from "../engine/event-dispatcher.ts";
import type { Projection } from "../projections/projection.ts";
import {
  CutoverRefusedError,
  ProjectionConflictError,
  ProjectionNotFoundError,
} from "../projections/projection-errors.ts";
import { createModelPositions, type ModelPositions } from "./model-positions.ts";
import { defineReadModel, type ReadSession, type Writer } from "./read-model.ts";

// SYNAP_FUZZ_SEED repeats a run.
const SEED = Number(process.env["SYNAP_FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const BY = { by: "user:ops" };

/** A change of the log or of the projection. */
type Step =
  | {
      readonly do:
        | "append"
        | "post"
        | "pass"
        | "follow"
        | "pause"
        | "resume"
        | "cutover"
        | "rollback"
        | "drop";
    }
  | { readonly do: "rebuild"; readonly version: 1 | 2 }
  // An append that is not committed until `settle`. Only on a server: the embedded engine has one session.
  | { readonly do: "hold" | "settle" };
/** A read, and what happens before and after each statement of it. */
type Command = Step | { readonly do: "read"; readonly during: readonly Step[] };

const simple = <const Name extends Exclude<Step["do"], "rebuild">>(weight: number, name: Name) => ({
  weight,
  arbitrary: fc.constant({ do: name }),
});
const step = fc.oneof(
  simple(6, "append"),
  simple(2, "post"),
  simple(6, "pass"),
  simple(3, "follow"),
  simple(1, "pause"),
  simple(2, "resume"),
  simple(3, "cutover"),
  simple(2, "rollback"),
  simple(1, "drop"),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("rebuild" as const), version: fc.constantFrom(1, 2) }),
  },
  simple(1, "hold"),
  simple(1, "settle"),
);
const commands = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: step },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("read" as const), during: fc.array(step, { maxLength: 6 }) }),
    },
  ),
  { minLength: 8, maxLength: 24 },
);
const modes = fc.constantFrom(...(["async", "inline"] as const));

describeOnEveryEngine("the position of a read model", (engine) => {
  beforeAll(async () => {
    await createSeenTable(engine.database);
    await syncEventTypes(engine.database, seedCatalogue);
  });

  beforeAll(async () => {
    // Makes today's chunk: an append that makes one keeps others waiting until it is settled.
    await new EventDispatcher({ database: engine.database, catalogue: seedCatalogue }).store.append(note());
  });

  let made = 0;
  let noted = 0;
  const note = (aggregateId = `s${noted % 4}`) => {
    noted += 1;
    return createSynapEvent({
      type: "note.creation.completed",
      aggregateId,
      data: { content: `e${noted}` },
    });
  };

  /** A process with a projection in two versions, an application's read model over it, and a log of its own events. */
  async function scenario(versions: readonly [Projection["mode"], Projection["mode"]]) {
    const { database } = engine;
    made += 1;
    const name = `positioned-${made}`;
    const projections = versions.map((mode, index) =>
      recordingProjection({
        name,
        mode,
        version: index + 1,
        ...(mode === "async" && { segments: index * 2 + 1 }),
      }),
    );
    const dispatcher = new EventDispatcher({ database, catalogue: seedCatalogue, projections, passLimit: 8 });
    const [first, newest] = projections;
    if (first === undefined || newest === undefined) throw new Error("It has two versions.");
    await dispatcher.releaseInline();
    await dispatcher.projections.prepare();
    let held: { readonly done: Promise<unknown>; settle(): void } | undefined;

    const model = defineReadModel({
      path: "positioned",
      description: "What the projection shows",
      writtenBy: [newest],
      parameters: z.strictObject({}),
      response: z.object({ contents: z.array(z.string()) }),
      read: async (session) => ({
        contents: (await recordedNotes(session, name)).flatMap(({ contents }) => contents.split(" ")),
      }),
    });

    async function hold(): Promise<void> {
      let settle = () => {};
      const settled = new Promise<void>((resolve) => {
        settle = resolve;
      });
      let done: Promise<void> = Promise.resolve();
      await new Promise<void>((resolve, reject) => {
        done = database.transaction(async (transaction) => {
          // In a stream of its own: others would wait for it.
          await dispatcher.store.append(note(`held-${noted}`), { transaction });
          resolve();
          await settled;
        });
        done.catch(reject);
      });
      held = { done, settle };
    }

    async function settle(): Promise<void> {
      held?.settle();
      await held?.done;
      held = undefined;
    }

    async function take(each: Step): Promise<void> {
      const { projections: operated, store } = dispatcher;
      switch (each.do) {
        case "append":
          return void (await store.append(note()));
        case "post":
          return engine.database.asOwner(async (owner) => {
            await owner.query("SET LOCAL ROLE synap_sql");
            await postEvent(owner, note());
          });
        case "pass":
          return void (await dispatcher.catchUp(name));
        case "follow":
          return catchUpFully(dispatcher, name);
        case "hold":
          return engine.engine === "server" && held === undefined ? hold() : undefined;
        case "settle":
          return settle();
        case "drop":
          return operated.drop(name, "previous");
        case "rebuild":
          return void (await operated.rebuild(name, { ...BY, version: each.version }));
        case "cutover":
          return void (await operated.cutover(name, BY));
        default:
          return void (await operated[each.do](name, BY));
      }
    }

    /** Takes a step that may be refused. What changes the mode of a build would wait for the held append. */
    async function attempt(each: Step): Promise<void> {
      const isFree =
        ["append", "hold", "settle"].includes(each.do) ||
        (each.do === "pass" && !versions.includes("inline"));
      if (held !== undefined && !isFree) return;
      await take(each).catch((error: unknown) => {
        const isRefusal = [CutoverRefusedError, ProjectionConflictError, ProjectionNotFoundError].some(
          (refusal) => error instanceof refusal,
        );
        if (!isRefusal) throw error;
      });
    }

    /** A session before and after each statement of which the next step happens. */
    function interrupted(during: readonly Step[]): ReadSession {
      const left = [...during];
      const next = async () => {
        const each = left.shift();
        if (each !== undefined) await attempt(each);
      };
      return {
        orm: database.orm,
        async query(...statement) {
          await next();
          const rows = await database.query<never>(...statement);
          await next();
          return rows;
        },
      };
    }

    async function read(
      during: readonly Step[],
      readerOn: (session: ReadSession) => Pick<ModelPositions, "read">,
    ) {
      const session = interrupted(during);
      const read = { session, parameters: {}, maxBytes: 1_000_000 };
      const { answer, position } = await readerOn(session).read(model, read);
      return { contents: new Set(answer.contents), position };
    }

    /** Finds what is stored up to the position of an answer, and is not in it. */
    async function missing({ contents, position }: Awaited<ReturnType<typeof read>>): Promise<string[]> {
      const stored = await database.query<{ content: string }>(
        `SELECT data ->> 'content' AS content FROM synap.events
          WHERE type = 'note.creation.completed' AND "position" <= $1`,
        [position],
      );
      return stored.map(({ content }) => content).filter((content) => !contents.has(content));
    }

    return { attempt, read, missing, settle };
  }

  /** Runs commands, and returns what answers lacked of what they announced, once every append is settled. */
  async function lies(
    versions: readonly [Projection["mode"], Projection["mode"]],
    all: readonly Command[],
    readerOn: (session: ReadSession) => Pick<ModelPositions, "read"> = createModelPositions,
  ) {
    const { attempt, read, missing, settle } = await scenario(versions);
    const answers: Awaited<ReturnType<typeof read>>[] = [];
    try {
      for (const command of all) {
        if (command.do === "read") answers.push(await read(command.during, readerOn));
        else await attempt(command);
      }
    } finally {
      await settle();
    }
    const lacking = await Promise.all(answers.map(missing));
    // Once everything is handled, everything is announced.
    await attempt({ do: "resume" });
    await attempt({ do: "follow" });
    const last = await read([], readerOn);
    const [end] = await engine.database.query<{ position: number }>(
      "SELECT max(last_position) AS position FROM synap.appends",
    );
    expect(last.position).toBeGreaterThanOrEqual(end?.position ?? 0);
    return [...lacking.flat(), ...(await missing(last))];
  }

  it("is never more than the answer has, whatever happens between its statements", async () => {
    await fc.assert(
      fc.asyncProperty(fc.tuple(modes, modes), commands, async (versions, all) => {
        expect(await lies(versions, all)).toEqual([]);
      }),
      { seed: SEED, numRuns: 10 },
    );
  }, 120_000);

  // Controls: with these orders the same scenarios find a lie.
  it("would be more if it were read after the rows", async () => {
    const rowsFirst = (session: ReadSession): Pick<ModelPositions, "read"> => ({
      async read(model, { session: rows, parameters, maxBytes }) {
        const answer = await model.read(rows, parameters, { maxBytes });
        const { position } = await createModelPositions(session).read(model, {
          session: engine.database,
          parameters,
          maxBytes,
        });
        return { answer, position };
      },
    });
    const during = [{ do: "append" }, { do: "append" }, { do: "follow" }] as const;
    expect(await lies(["async", "async"], [{ do: "follow" }, { do: "read", during }])).toEqual([]);
    expect(await lies(["async", "async"], [{ do: "follow" }, { do: "read", during }], rowsFirst)).not.toEqual(
      [],
    );
  });

  it("is announced if the same build was live before and after the rows, and not if another became live each time", async () => {
    const { attempt, read, settle } = await scenario(["async", "async"]);
    const nothing = { do: "pass" } as const;
    const rest = [nothing, nothing] as const;
    const toOther = [{ do: "rebuild", version: 2 }, { do: "follow" }, { do: "cutover" }] as const;
    const back = [nothing, nothing, nothing, { do: "rollback" }, ...rest] as const;
    await attempt({ do: "append" });
    await attempt({ do: "follow" });
    const once = await read([nothing, ...toOther, ...rest], createModelPositions);
    expect(once.position).toBeGreaterThan(0);
    expect(await read([...back, ...back, ...back], createModelPositions)).toMatchObject({ position: 0 });
    expect((await read([], createModelPositions)).position).toBeGreaterThan(0);
    await settle();
  });

  it("stays where a paused projection stands", async () => {
    const paused = [{ do: "follow" }, { do: "pause" }, { do: "append" }, { do: "follow" }] as const;
    const during = [] as const;
    for (const mode of ["async", "inline"] as const) {
      expect(await lies([mode, mode], [...paused, { do: "read", during }])).toEqual([]);
    }
  });

  it("is that of the handlers and of the log where they write it, in every order", async () => {
    const { database } = engine;
    made += 1;
    const [behind, inline] = [seeing(`behind-${made}`), seeing(`inline-${made}`, { mode: "inline" })];
    const dispatcher = new EventDispatcher({
      database,
      catalogue: seedCatalogue,
      handlers: [behind, inline],
    });
    const positionOf = async (...writtenBy: Writer[]) => {
      const model = defineReadModel({
        path: "seen",
        description: "What was seen",
        writtenBy,
        parameters: z.strictObject({}),
        response: z.object({}),
        read: async () => ({}),
      });
      const read = { session: database, parameters: {}, maxBytes: 1_000 };
      return (await createModelPositions(database).read(model, read)).position;
    };
    const outcome = await dispatcher.store.append(note());
    if (outcome.status === "rejected") throw new Error("It is valid.");
    expect(await positionOf(behind)).toBe(0);
    expect(await positionOf(inline)).toBeGreaterThanOrEqual(outcome.position);
    expect(await positionOf()).toBeGreaterThanOrEqual(outcome.position);
    expect(await positionOf(inline, behind)).toBe(0);
    await catchUpFully(dispatcher, behind.name);
    expect(await positionOf(behind, inline)).toBeGreaterThanOrEqual(outcome.position);
    // Not built by anybody.
    expect(await positionOf(recordingProjection({ name: `unbuilt-${made}` }), inline)).toBe(0);
  });
});
