// A local broker in a separate process, for tests that kill it: tsx broker-process.ts DATA_DIRECTORY PORT APP_URL
import { startInngestLocal } from "../src/index.ts";
import { openInDirectory } from "./queue-databases.ts";

const [directory, port, appUrl] = process.argv.slice(2);
if (directory === undefined || port === undefined || appUrl === undefined)
  throw new Error("three arguments, please");
const { database } = await openInDirectory(directory);
const server = await startInngestLocal({
  database,
  keys: "none",
  port: Number(port),
  appUrls: [appUrl],
  retryDelays: 100,
  registerInterval: 200,
});
await server.ready();
process.send?.({ url: server.url });
