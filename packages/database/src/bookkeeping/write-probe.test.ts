import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { NotWritableError, probeWrite } from "./write-probe.ts";

describeOnEveryEngine("a probe of whether the database takes writes", (engine) => {
  it("passes on a database that does, and leaves nothing behind", async () => {
    await expect(probeWrite(engine.database)).resolves.toBeUndefined();
    const [memory] = await engine.database.query<{ setting: string }>(
      "SELECT current_setting('work_mem') AS setting",
    );
    expect(memory?.setting).not.toBe("64kB");
  });

  it("finds a database that is read-only", async () => {
    const readOnly: Parameters<typeof probeWrite>[0] = {
      transaction: (work) =>
        engine.database.transaction(async (transaction) => {
          await transaction.query("SET TRANSACTION READ ONLY");
          return work(transaction);
        }),
    };
    const probed = probeWrite(readOnly);
    await expect(probed).rejects.toBeInstanceOf(NotWritableError);
    await expect(probed).rejects.toMatchObject({ code: "READ_ONLY" });
  });

  it("finds a database whose restore was not brought to its end", async () => {
    const restoring: Parameters<typeof probeWrite>[0] = {
      transaction: (work) =>
        engine.database.asOwner(async (transaction) => {
          await transaction.query("SET LOCAL timescaledb.restoring = 'on'");
          return work(transaction);
        }),
    };
    await expect(probeWrite(restoring)).rejects.toMatchObject({ code: "READ_ONLY" });
  });
});
