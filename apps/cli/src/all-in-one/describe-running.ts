import { SYNAP_COMMAND } from "@synap/service/called-as";
import type { EventCatalogue } from "@synap/types";
import { tokenPath } from "../data-directory/kept-token.ts";
import { RELEASE } from "../terminal/release.ts";
import type { InngestChoice } from "./inngest.ts";
import type { RunningSynap } from "./run-synap.ts";

/** Facts for {@link describeRunning}. */
export interface RunningFacts {
  readonly inngest: InngestChoice;
  readonly logLevel: string;
  readonly took: string;
  /** A link by which a browser signs in. Without one, the command that makes one is named. */
  readonly signInUrl?: string | undefined;
}

/** Formats the text printed when Synap runs: its URLs, and one command to try it. */
export function describeRunning(
  running: RunningSynap,
  { inngest, logLevel, took, signInUrl }: RunningFacts,
): string {
  const { apiUrl, workerUrl, brokerUrl, dataDirectory, database, catalogue, localAccess } = running;
  const { timescaledbVersion, edition } = database.capabilities;
  const engine = `TimescaleDB ${timescaledbVersion} (${edition} edition)`;
  const store = database.engine === "embedded" ? `embedded ${engine}` : `${engine} at DATABASE_URL`;
  const broker =
    inngest === "local"
      ? "Synap's local broker: the queue and its latest runs"
      : "Inngest: its dashboard shows every event and run";
  const rows = [
    ["API", apiUrl, ""],
    ["API docs", `${apiUrl}/docs`, "to read and to try"],
    ["status", `${apiUrl}/api/v1/status`, ""],
    ["worker", workerUrl, ""],
    ["broker", brokerUrl, broker],
    ["store", store, ""],
    ["data", dataDirectory, "holds the secrets: the API key, Inngest's keys and that of sessions"],
    ["log level", logLevel, "LOG_LEVEL or --verbose changes it"],
  ] as const;
  const key = ` -H "authorization: Bearer $(cat ${quoted(tokenPath(dataDirectory, "api-key"))})"`;
  const lines = rows.map(
    ([name, value, note]) => `  ${name.padEnd(10)} ${note === "" ? value : `${value}  (${note})`}`,
  );
  return `
Synap ${RELEASE} is ready, after ${took}.

${lines.join("\n")}

${describePublishing(apiUrl, catalogue, localAccess ? "" : key)}${
  localAccess
    ? "Programs on this machine need no token for that. Everything else needs an API key; this one has every scope:"
    : "Every request needs an API key; this one has every scope:"
}

  curl -s ${apiUrl}/api/v1/admin/status${key}

${describeSigningIn(signInUrl)}
Operate it: ${SYNAP_COMMAND} --help

Ctrl-C stops it.`;
}

function describeSigningIn(url: string | undefined): string {
  if (url === undefined) return `Sign in with a browser: ${SYNAP_COMMAND} sign-in prints a link.\n`;
  return `Sign in with a browser, with every scope. The link works once, for 10 minutes; ${SYNAP_COMMAND} sign-in makes another:

  ${url}
`;
}

/** Quotes a path for a shell, inside of double quotes. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

/** Commands that publish and read an event of the application. */
function describePublishing(apiUrl: string, catalogue: EventCatalogue, key: string): string {
  const type = catalogue.get("note.creation.requested") ?? catalogue.types[0];
  if (type === undefined) return "";
  const event = JSON.stringify({ type: type.name, data: type.example, userId: "ada" });
  return `Publish an event:

  curl -s ${apiUrl}/api/v1/events${key} -H 'content-type: application/json' \\
    -d '${event.replaceAll("'", "'\\''")}'

and read it:

  curl -s '${apiUrl}/api/v1/events?userId=ada'${key}

`;
}
