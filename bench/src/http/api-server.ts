// Synap's API as production runs it, on the database and broker that the environment names.
import { readApiConfiguration, startApi } from "@synap/api";
import { migrate, openDatabase } from "@synap/database";
import { recordFunctionRegistration } from "@synap/database/internal";
import { createCommandLogger, createInngestClient } from "@synap/service";
import { composeEngine, defaultApplication } from "@synap/synap/internal";
import { INNGEST_APP_ID } from "@synap/types/internal";
import { z } from "zod";
import { serveParent } from "./server-process.ts";

const location = z
  .union([z.object({ url: z.string() }), z.object({ dataDirectory: z.string() })])
  .parse(JSON.parse(process.env["BENCH_DATABASE"] ?? ""));
const logger = createCommandLogger("api", "warn");
const database = await openDatabase(location);
await migrate(database, { applications: defaultApplication.migrations });
// The broker of these figures only takes events, so no worker registers with it.
await recordFunctionRegistration(database, INNGEST_APP_ID);
const api = await startApi({
  configuration: readApiConfiguration({ ...process.env, SYNAP_API_HOST: "127.0.0.1", SYNAP_API_PORT: "0" }),
  engine: composeEngine(defaultApplication, database, { logger }),
  inngest: createInngestClient({ isDev: true, logger }),
  logger,
});
serveParent(api.url, {
  stop: async () => {
    await api.close();
    await database.close();
  },
});
