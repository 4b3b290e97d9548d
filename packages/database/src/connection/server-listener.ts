import postgres, { type Options, type PostgresType, type Sql } from "postgres";

/** LISTEN on a connection of its own, which comes back by itself when it is lost. */
export interface ServerListener {
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const RETRY_MS = 500;

/** The driver's own `listen` gives up when the server is still away at the first new attempt; this one goes on. */
export function createServerListener(
  url: string,
  options: Options<Record<string, PostgresType>>,
): ServerListener {
  const channels = new Map<string, Set<(payload: string) => void>>();
  let sql: Sql | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  function connect(): Sql {
    sql ??= postgres(url, {
      ...options,
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      prepare: false,
      onnotify: (channel: string, payload: string) => {
        for (const listener of channels.get(channel) ?? []) listener(payload);
      },
      onclose: () => reconnectSoon(),
    } as Options<Record<string, PostgresType>>);
    return sql;
  }

  function reconnectSoon(): void {
    if (closed || channels.size === 0 || retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      const again = [...channels.keys()].map((channel) => connect().unsafe(`LISTEN ${quote(channel)}`));
      Promise.all(again).then(
        () => {
          for (const listeners of channels.values()) for (const listener of listeners) listener("");
        },
        () => reconnectSoon(),
      );
    }, RETRY_MS);
  }

  return {
    listen: async (channel, onNotify) => {
      const listeners = channels.get(channel) ?? new Set();
      channels.set(channel, listeners.add(onNotify));
      if (listeners.size === 1) await connect().unsafe(`LISTEN ${quote(channel)}`);
      return async () => {
        listeners.delete(onNotify);
        if (listeners.size > 0 || closed || channels.get(channel) !== listeners) return;
        channels.delete(channel);
        await sql?.unsafe(`UNLISTEN ${quote(channel)}`);
      };
    },
    close: async () => {
      closed = true;
      clearTimeout(retry);
      channels.clear();
      await sql?.end({ timeout: 1 });
    },
  };
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
