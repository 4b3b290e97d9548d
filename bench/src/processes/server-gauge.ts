import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { readProcess } from "../product/process-gauge.ts";

/** Work of a PostgreSQL server for one database between two moments. */
export interface ServerUse {
  /** Write-ahead log, of the whole server. */
  readonly walBytes: number;
  /** Processor time of the database's sessions and of the server's own processes; undefined for a server on another machine. */
  readonly cpuSeconds: number | undefined;
  /** The most connections at a time. */
  readonly connections: number;
  /** The share of the samples of working sessions in each state: `processor`, or what they waited for. */
  readonly waits: ReadonlyMap<string, number>;
}

/** Watches a database. */
export interface ServerGauge {
  /** Runs work, and says what happened meanwhile. */
  during<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly use: ServerUse }>;
  close(): Promise<void>;
}

const SAMPLE_MS = 40;
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
const APPLICATION_NAME = "synap bench gauge";

interface SampleRow {
  readonly pid: number;
  readonly is_session: boolean;
  readonly state: string | null;
}

const SAMPLE = `
SELECT pid, datname IS NOT NULL AS is_session,
       CASE WHEN state = 'active' THEN coalesce(wait_event_type || ' ' || wait_event, 'processor') END AS state
  FROM pg_stat_activity
 WHERE (datname = current_database() AND application_name <> '${APPLICATION_NAME}')
    OR backend_type IN ('walwriter', 'checkpointer', 'background writer')`;

/** Watches the database at a URL, with one session of its own. */
export function watchServer(url: string): ServerGauge {
  const sql = postgres(url, {
    max: 1,
    onnotice: () => undefined,
    connection: { application_name: APPLICATION_NAME },
  });
  const isLocal = LOOPBACK.has(new URL(url).hostname);

  async function walPosition(): Promise<number> {
    const [row] = await sql<{ bytes: string }[]>`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`;
    return Number(row?.bytes);
  }

  return {
    during: async (work) => {
      const readings = new Map<number, number>();
      const states = new Map<string, number>();
      let cpuSeconds = 0;
      let connections = 0;
      const sample = async () => {
        const rows = await sql.unsafe<SampleRow[]>(SAMPLE);
        connections = Math.max(connections, rows.filter(({ is_session }) => is_session).length);
        for (const { pid, state } of rows) {
          if (state !== null) states.set(state, (states.get(state) ?? 0) + 1);
          if (!isLocal || !isPostgres(pid)) continue;
          const now = readProcess(pid)?.cpuSeconds ?? 0;
          cpuSeconds += Math.max(0, now - (readings.get(pid) ?? now));
          readings.set(pid, now);
        }
      };

      const wal = await walPosition();
      await sample();
      let isOver = false;
      const working = work().finally(() => {
        isOver = true;
      });
      // The failure of a sample, below, comes first.
      working.catch(() => undefined);
      while (!isOver) {
        await sleep(SAMPLE_MS);
        await sample();
      }
      const result = await working;
      const total = [...states.values()].reduce((sum, count) => sum + count, 0);
      return {
        result,
        use: {
          walBytes: (await walPosition()) - wal,
          cpuSeconds: readings.size > 0 ? cpuSeconds : undefined,
          connections,
          waits: new Map([...states].map(([state, count]) => [state, count / total])),
        },
      };
    },
    close: () => sql.end({ timeout: 5 }),
  };
}

/** True if the process is one of PostgreSQL on this machine, and not another one with a pid of a server elsewhere. */
function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("postgres");
  } catch {
    return false;
  }
}
