import { readFileSync } from "node:fs";
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
  /** The work since the last call, or since the start. */
  take(): Promise<ServerUse>;
  close(): Promise<void>;
}

const SAMPLE_MS = 25;
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

/** Starts to watch the database at a URL, with one session of its own. */
export async function watchServer(url: string): Promise<ServerGauge> {
  const sql = postgres(url, {
    max: 1,
    onnotice: () => undefined,
    connection: { application_name: APPLICATION_NAME },
  });
  const isLocal = LOOPBACK.has(new URL(url).hostname);
  const readings = new Map<number, number>();
  const cpu = { seconds: 0 };
  const states = new Map<string, number>();
  let connections = 0;
  let isClosed = false;

  async function sample(): Promise<void> {
    const rows = await sql.unsafe<SampleRow[]>(SAMPLE);
    connections = Math.max(connections, rows.filter(({ is_session }) => is_session).length);
    for (const { pid, state } of rows) {
      if (state !== null) states.set(state, (states.get(state) ?? 0) + 1);
      if (!isLocal || !isPostgres(pid)) continue;
      const now = readProcess(pid)?.cpuSeconds ?? 0;
      cpu.seconds += Math.max(0, now - (readings.get(pid) ?? now));
      readings.set(pid, now);
    }
  }

  async function walPosition(): Promise<number> {
    const [row] = await sql<{ bytes: string }[]>`SELECT pg_current_wal_insert_lsn() - '0/0' AS bytes`;
    return Number(row?.bytes);
  }

  let wal = await walPosition();
  await sample();
  const watching = (async () => {
    while (!isClosed) {
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
      await sample();
    }
  })();
  watching.catch(() => undefined);

  return {
    take: async () => {
      await sample();
      const now = await walPosition();
      const total = [...states.values()].reduce((sum, count) => sum + count, 0);
      const use = {
        walBytes: now - wal,
        cpuSeconds: isLocal && readings.size > 0 ? cpu.seconds : undefined,
        connections,
        waits: new Map([...states].map(([state, count]) => [state, count / total])),
      };
      wal = now;
      cpu.seconds = 0;
      connections = 0;
      states.clear();
      return use;
    },
    close: async () => {
      isClosed = true;
      // A failed sample is the caller's to know.
      await watching.finally(() => sql.end({ timeout: 5 }));
    },
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
