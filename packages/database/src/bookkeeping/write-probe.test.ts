import { expect, it } from "vitest";
import { describeOnEveryEngine } from "../../testing/index.ts";
import { NotWritableError, probeWrite } from "./write-probe.ts";

describeOnEveryEngine("the write probe", (engine) => {
  it("passes on a writable database, and leaves nothing behind", async () => {
    await expect(probeWrite(engine.database)).resolves.toBeUndefined();
    const [memory] = await engine.database.query<{ setting: string }>(
      "SELECT current_setting('work_mem') AS setting",
    );
    expect(memory?.setting).not.toBe("64kB");
  });

  it("detects a read-only database", async () => {
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

  it("detects a database with an unfinished restore", async () => {
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
