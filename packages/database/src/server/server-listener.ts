import { notify } from "../observers.ts";
import { type ConnectionOptions, connect, ServerConnection } from "./server-connection.ts";

/** LISTEN on a dedicated connection, which reconnects automatically. */
export interface ServerListener {
  /** @throws DatabaseUnavailableError when the server can't be reached, or doesn't answer in time. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const RETRY_MS = 500;

/** The listeners of a channel. */
interface Channel {
  readonly listeners: Set<(payload: string) => void>;
  /** Settles when the connection is listening. */
  listening: Promise<void>;
}

/** @param answerTimeout maximum wait for an answer, in milliseconds */
export function createServerListener(options: ConnectionOptions, answerTimeout: number): ServerListener {
  const channels = new Map<string, Channel>();
  let current: Promise<ServerConnection> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** The current connection, or a new one. */
  function connected(): Promise<ServerConnection> {
    if (current !== undefined) return current;
    const connection = new ServerConnection(options);
    const connecting = connect(connection).then(() => connection);
    current = connecting;
    connection.on("notification", ({ channel, payload = "" }) => {
      for (const listener of channels.get(channel)?.listeners ?? []) notify(listener, payload);
    });
    connection.once("end", () => {
      if (current !== connecting) return;
      current = undefined;
      reconnectSoon();
    });
    connecting.catch(() => {
      if (current === connecting) current = undefined;
    });
    return connecting;
  }

  async function beginListening(name: string): Promise<void> {
    const connection = await connected();
    await connection.script(`LISTEN ${quote(name)}`, answerTimeout);
  }

  function reconnectSoon(): void {
    if (isClosed || channels.size === 0 || retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      const again = [...channels].map(([name, channel]) => {
        channel.listening = beginListening(name);
        return channel.listening;
      });
      Promise.all(again).then(() => {
        // Notifications in the meantime were missed.
        for (const { listeners } of channels.values()) for (const listener of listeners) notify(listener, "");
      }, reconnectSoon);
    }, RETRY_MS);
  }

  async function stopListening(name: string): Promise<void> {
    channels.delete(name);
    // Without a connection there is nothing to stop, and one that doesn't answer has been cut off.
    const connection = await current?.catch(() => undefined);
    // Another listener may have joined in the meantime.
    if (channels.has(name)) return;
    await connection?.script(`UNLISTEN ${quote(name)}`, answerTimeout).catch(() => {});
  }

  return {
    listen: async (name, onNotify) => {
      const channel = channels.get(name) ?? { listeners: new Set(), listening: beginListening(name) };
      channels.set(name, channel);
      channel.listeners.add(onNotify);
      const stop = async (): Promise<void> => {
        const isLast = channel.listeners.delete(onNotify) && channel.listeners.size === 0;
        if (isLast && !isClosed && channels.get(name) === channel) await stopListening(name);
      };
      try {
        await channel.listening;
      } catch (error) {
        await stop();
        throw error;
      }
      return stop;
    },
    close: async () => {
      isClosed = true;
      clearTimeout(retry);
      channels.clear();
      const connection = await current?.catch(() => undefined);
      await connection?.close();
    },
  };
}

function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
