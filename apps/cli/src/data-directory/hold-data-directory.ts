// Opens the data directory given as the first argument, prints that it has, and holds it until it is stopped or killed.
import { openDataDirectory } from "./open-data-directory.ts";

const path = process.argv[2] ?? "";
try {
  const directory = openDataDirectory({ path, release: "0.1.0", urls: { API: "http://127.0.0.1:3400" } });
  process.once("SIGTERM", () => {
    directory.close();
    process.exit(0);
  });
  setInterval(() => undefined, 60_000);
  console.log("open");
} catch (error) {
  console.log(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
