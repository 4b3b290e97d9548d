import { openDatabase } from "@synap/database";
import { EventDispatcher, HandlerRunner } from "@synap/handlers/internal";
import { defaultApplication } from "@synap/synap/internal";
import { seedCatalogue } from "@synap/types";
import { countedActors } from "./counted-actors.ts";
import { recordedStreams } from "./recorded-streams.ts";

// A process that does nothing but keep the read models of DATABASE_URL, until it is killed.
const database = await openDatabase({ url: process.env["DATABASE_URL"] ?? "", maxConnections: 12 });
const say = (fields: object, message: string) => console.log(message, JSON.stringify(fields));
const dispatcher = new EventDispatcher({
  database,
  catalogue: seedCatalogue,
  handlers: defaultApplication.handlers,
  projections: [...defaultApplication.projections, recordedStreams, countedActors],
  passLimit: 50,
});
new HandlerRunner({ dispatcher, database, logger: { info: say, warn: say, error: say } }).start();
console.log("projecting");
