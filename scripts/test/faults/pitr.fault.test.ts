import { type Database, migrate, openDatabase, PositionLostError } from "@synap/database";
import { createEventStore, currentEpoch } from "@synap/database/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runSynapCommand } from "../../src/processes/run-command.ts";
import {
  hasPostgresPrograms,
  PostgresShell,
  TimescaledbServer,
} from "../../src/processes/timescaledb-server.ts";
import { makeEvents, stressCatalogue } from "../../src/stress/stress-events.ts";
import { documentedCommands } from "../processes/documented-commands.ts";

const PAGE = "docs/backup-and-restore.md";
const reason = hasPostgresPrograms
  ? ""
  : " (skipped: .ci/timescaledb has not installed PostgreSQL's programs)";
const stream = { aggregateType: "counter", aggregateId: "counter-0" };
const ARCHIVE = "/var/lib/postgresql/synap-archive";
const BACKUP = "/var/lib/postgresql/synap-base";

describe.skipIf(!hasPostgresPrograms)(`a server restored to a moment${reason}`, () => {
  const source = new TimescaledbServer(54336);
  const target = new TimescaledbServer(54337);
  let shell: PostgresShell;

  beforeAll(async () => {
    shell = new PostgresShell();
    for (const server of [source, target]) await server.remove();
    await shell.run(
      `rm -rf ${ARCHIVE} ${BACKUP}; install -d -o postgres -g postgres -m 700 ${ARCHIVE} ${BACKUP}`,
      {},
    );
    await source.start();
  });
  afterAll(async () => {
    for (const server of [source, target]) await server.remove();
    await shell.run(`rm -rf ${ARCHIVE} ${BACKUP}`, {});
    shell.remove();
  });

  async function within<T>(url: string, work: (database: Database) => Promise<T>): Promise<T> {
    const database = await openDatabase({ url });
    try {
      return await work(database);
    } finally {
      await database.close();
    }
  }
  const storeOf = (database: Database) => createEventStore({ database, catalogue: stressCatalogue });
  const append = (database: Database, count: number) =>
    storeOf(database).appendToStream(stream, "any", makeEvents(stream, 0, count));

  it("has what was stored until then, and refuses readers that have seen what is lost", async () => {
    const paths = { SOURCE: source.url, ARCHIVE, BACKUP };
    await shell.run(documentedCommands(PAGE, "archive the write-ahead log"), paths);
    await source.kill();
    await source.recover();

    const { kept, moment, seen } = await within(source.url, async (database) => {
      await migrate(database);
      await append(database, 20);
      expect(await shell.run(documentedCommands(PAGE, "make a base backup"), paths)).toMatch(/backed up\n$/);
      const after = await append(database, 10);
      const [clock] = await database.query<{ now: string }>("SELECT clock_timestamp()::text AS now");
      await append(database, 10);
      const page = await storeOf(database).readAll({ after: after.position, limit: 100 });
      expect(page.events).toHaveLength(10);
      await shell.run(
        `psql "$SOURCE" --set=ON_ERROR_STOP=1 --command="SELECT pg_switch_wal()"
         for try in $(seq 200); do
           [ "$(psql "$SOURCE" -Atc "SELECT last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 16777216) FROM pg_stat_archiver")" = t ] && exit
           sleep 0.1
         done; exit 1`,
        paths,
      );
      return { kept: after.position, moment: clock?.now ?? "", seen: page.position };
    });
    await source.kill();

    const DATA = target.data;
    await shell.run(documentedCommands(PAGE, "restore to a moment"), { ...paths, DATA, MOMENT: moment });
    await shell.run(`chown -R postgres:postgres ${DATA}`, {});
    await target.start();
    await shell.run(
      `for try in $(seq 300); do
         [ "$(psql "$TARGET" -Atc "SELECT pg_is_in_recovery()")" = f ] && exit
         sleep 0.1
       done; exit 1`,
      { TARGET: target.url },
    );

    await within(target.url, async (database) => {
      const before = await storeOf(database).readAll({ after: 0, limit: 100 });
      expect(before.events).toHaveLength(30);
      expect(before.events.at(-1)?.position).toBe(kept);
      expect(await currentEpoch(database)).toMatchObject({ number: 1 });
      // Nobody has run a command: the first append notices that the timeline is another one.
      const next = await append(database, 1);
      const epoch = await currentEpoch(database);
      expect(epoch.number).toBe(2);
      expect(next.position).toBeGreaterThanOrEqual(epoch.firstPosition);
      await expect(storeOf(database).readAll({ after: seen, limit: 10 })).rejects.toThrow(PositionLostError);
      const { events } = await storeOf(database).readAll({ after: epoch.lastBefore ?? 0, limit: 10 });
      expect(events.map(({ position }) => position)).toEqual([next.position]);
    });

    const command = runSynapCommand(["verify", "--restored"], { env: { DATABASE_URL: target.url } });
    expect({ code: await command.ended, output: command.output() }).toEqual({
      code: 0,
      output: expect.stringMatching(
        /no fault\nhead .*\nchunk [\s\S]* 31 events [0-9a-f]{64}\nthe streams, ids, [^\n]* fit the events\nepoch 2 begins at position/,
      ),
    });
    await within(target.url, async (database) => {
      expect(await currentEpoch(database)).toMatchObject({ number: 2, verifiedAt: expect.any(String) });
    });
  });
});
