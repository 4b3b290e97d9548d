import { expect, it } from "vitest";
import { describeSchema } from "../../testing/describe-schema.ts";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { readMigrationFiles, SQL_DIRECTORY } from "./migration-files.ts";

it("numbers the table files without gaps, and keeps functions and views out of them", async () => {
  const numbered = (await readMigrationFiles(SQL_DIRECTORY)).filter(({ object }) => object === undefined);
  expect(numbered.map(({ name }) => Number(name.slice(0, 4)))).toEqual(numbered.map((_, index) => index + 1));
  const strays = numbered.filter(({ sql }) =>
    /^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE|AGGREGATE|VIEW)/m.test(sql),
  );
  expect(strays.map(({ name }) => name)).toEqual([]);
});

describeOnEveryEngine("the schema of a migrated database", (engine) => {
  // `npx -y pnpm@12 --filter @synap/database schema` updates the file.
  it("is the one in sql/schema.txt", async () => {
    await expect(await describeSchema(engine.database)).toMatchFileSnapshot("../../sql/schema.txt");
  });
});
