import type { QueueSession } from "./database.ts";

/** The last registration of an app. `functions` is JSON text. */
export interface StoredApp {
  readonly name: string;
  readonly url: string;
  readonly sdk: string;
  readonly functions: string;
  readonly registeredAt: number;
}

/** Reads every app that ever registered, so that events still start its functions before it registers again. */
export async function readApps(session: QueueSession): Promise<StoredApp[]> {
  const rows = await session.query<Omit<StoredApp, "registeredAt"> & { registered_at: number }>(
    `SELECT name, url, sdk, functions, registered_at::float8 AS registered_at FROM inngest_local.apps ORDER BY name`,
  );
  return rows.map(({ registered_at, ...app }) => ({ ...app, registeredAt: registered_at }));
}

/** Replaces an app's registration. */
export async function saveApp(session: QueueSession, app: StoredApp): Promise<void> {
  await session.query(
    `INSERT INTO inngest_local.apps (name, url, sdk, functions, registered_at)
     VALUES ($1::text, $2::text, $3::text, $4::text, $5::bigint)
     ON CONFLICT (name) DO UPDATE
       SET url = EXCLUDED.url, sdk = EXCLUDED.sdk, functions = EXCLUDED.functions, registered_at = EXCLUDED.registered_at`,
    [app.name, app.url, app.sdk, app.functions, app.registeredAt],
  );
}
