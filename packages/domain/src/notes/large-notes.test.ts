import { randomUUID } from "node:crypto";
import { describeOnEveryEngine } from "@synap/database/testing";
import { handlerScenario } from "@synap/handlers/testing";
import { seedCatalogue } from "@synap/types";
import { beforeAll, expect, it } from "vitest";
import { notesOf } from "./notes-of.ts";
import { notesProjection } from "./notes-projection.ts";

const BYTES = 200_000;
/** So many large rows are two pages of 4 MiB. */
const COUNT = 30;

describeOnEveryEngine("notes too large for a full page", (engine) => {
  beforeAll(() =>
    handlerScenario({
      database: engine.database,
      catalogue: seedCatalogue,
      projections: [notesProjection],
    }).dispatcher.projections.prepare(),
  );
  it("end a page of notes early, and the next page continues", async () => {
    const { database } = engine;
    const userId = randomUUID();
    await database.asOwner((owner) =>
      owner.query(
        `INSERT INTO synap_read.notes (id, user_id, content, tags, created_by, created_at, event_id, "position")
       SELECT $1 || n, $1, repeat('x', $2::integer), '[]', 'system', now(), gen_random_uuid(), n
         FROM generate_series(1, $3::integer) AS n`,
        [userId, BYTES, COUNT],
      ),
    );
    const positions: number[] = [];
    let pages = 0;
    for (let before: number | undefined, isCut = true; isCut; pages += 1) {
      const page = await notesOf(database, { userId, before, limit: 1_000 });
      positions.push(...page.notes.map(({ position }) => position));
      before = positions.at(-1);
      isCut = page.isCut;
    }
    expect(positions).toEqual(Array.from({ length: COUNT }, (_, index) => COUNT - index));
    expect(pages).toBe(2);
  });
});
