import { describeOnEveryEngine } from "@synap/database/testing";
import { noteCreationCompleted, noteCreationRequested, seedCatalogue } from "@synap/types";
import { desc, isNotNull, sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  text,
} from "drizzle-orm/pg-core";
import { describe, expect, it } from "vitest";
import { handlerScenario } from "../../testing/handler-scenario.ts";
import { defineProjection } from "./projection.ts";
import { describeReadTable, keyText, moment, readTable } from "./read-table.ts";

const things = readTable(
  "things",
  {
    id: keyText("id").primaryKey(),
    ownerId: text("owner_id"),
    size: integer("size").notNull(),
    seenAt: moment("seen_at"),
  },
  (table) => [
    index().on(table.ownerId, desc(table.size)),
    index().on(table.seenAt.desc().nullsLast()).where(isNotNull(table.seenAt)),
    index().on(sql`lower(${table.ownerId})`).where(sql`${table.size} > ${7}`),
  ],
);

describe("a declared table", () => {
  it("yields the SQL of its columns, key and indexes", () => {
    expect(describeReadTable("p", things)).toEqual({
      name: "things",
      key: ["id"],
      columns:
        '"id" text COLLATE "C" NOT NULL, "owner_id" text, "size" integer NOT NULL, "seen_at" timestamptz(3)',
      indexes: [
        '("owner_id", "size" desc)',
        '("seen_at" DESC NULLS LAST) WHERE "seen_at" is not null',
        '(lower("owner_id")) WHERE "size" > 7',
      ],
    });
  });

  const refusals = {
    "a default": [
      readTable("t", { id: keyText("id").primaryKey(), n: integer("n").default(1) }),
      'default for "n"',
    ],
    "a type that JSON changes": [
      readTable("t", { id: keyText("id").primaryKey(), n: numeric("n") }),
      'column "n"',
    ],
    "a unique column": [readTable("t", { id: keyText("id").primaryKey(), n: text("n").unique() }), "unique"],
    "no primary key": [readTable("t", { id: keyText("id") }), "no primary key of one column"],
  } as const;
  it.each(Object.entries(refusals))(
    "with %s is refused when the projection is defined",
    (_name, [table, reason]) => {
      const define = () =>
        defineProjection({
          name: "p",
          version: 1,
          description: "P.",
          events: [noteCreationRequested],
          mode: "async",
          table,
          evolve: () => undefined,
        });
      expect(define).toThrow(reason);
    },
  );
});

const everything = readTable("everything", {
  id: keyText("id").primaryKey(),
  words: text("words"),
  whole: integer("whole"),
  large: bigint("large", { mode: "number" }),
  real: doublePrecision("real"),
  yes: boolean("yes"),
  day: date("day"),
  moment: moment("moment"),
  object: jsonb("object").$type<{ readonly a: readonly number[] }>(),
});

describeOnEveryEngine("a projection of rows", (engine) => {
  it("passes evolve the row that evolve returned before, and queries return the same", async () => {
    const row = {
      words: "a \u{1F600} \ufeff",
      whole: -2_147_483_648,
      large: Number.MAX_SAFE_INTEGER,
      real: 0.1,
      yes: true,
      day: "9999-12-31",
      moment: "0001-01-01T00:00:00.001Z",
      object: { a: [1, 2.5] },
    };
    const seen: unknown[] = [];
    const projection = defineProjection({
      name: "everything",
      version: 1,
      description: "Everything.",
      events: [noteCreationRequested, noteCreationCompleted],
      mode: "async",
      table: everything,
      evolve(before, event) {
        seen.push(before);
        const { id: _, ...rest } = before ?? { id: "", ...row };
        return event.data.content === "gone" ? undefined : { id: event.aggregateId, ...rest };
      },
    });
    const scenario = handlerScenario({
      database: engine.database,
      catalogue: seedCatalogue,
      projections: [projection],
    });
    const note = (content: string) =>
      ({ type: "note.creation.requested", aggregateId: "e", data: { content } }) as const;
    await scenario.given(note("one"));
    await scenario.when(note("two"));
    expect(seen).toEqual([undefined, { id: "e", ...row }]);
    expect(await engine.database.orm.select().from(everything)).toEqual([{ id: "e", ...row }]);
    await scenario.when(note("gone"));
    expect(await engine.database.orm.select().from(everything)).toEqual([]);
  });
});
