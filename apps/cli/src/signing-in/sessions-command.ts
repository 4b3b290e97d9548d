import { endSession, listSessions, type Session } from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { Command, type Option } from "commander";
import { withMigratedDatabase } from "../data-directory/with-migrated-database.ts";
import { dataOption } from "../terminal/command.ts";
import { helpText } from "../terminal/help-text.ts";
import { formatTables, jsonText, plain } from "../terminal/table.ts";

interface StoreOptions {
  readonly data: string;
}

const SESSIONS = "sessions";

/** The command line of `sessions`. */
export function sessionsCommand(): Command {
  return new Command("sessions")
    .description(
      "Lists and ends the sessions of browsers, in the database at DATABASE_URL or in a data directory.",
    )
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addHelpText(
      "after",
      helpText({
        notes: [
          "A session that is revoked is accepted by no API after 30 seconds. One that was begun with an API key ends with it.",
        ],
        environment: [
          ["DATABASE_URL", "the server; without it, the embedded database in the data directory"],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

function listCommand(): Command {
  return new Command("list")
    .description("Lists the sessions of the last month, the newest first.")
    .option("--json", "print one session a line as JSON, for programs", false)
    .addOption(storeOption())
    .action(async ({ data, json }: StoreOptions & { readonly json: boolean }) => {
      await withMigratedDatabase(data, SESSIONS, async (database) => {
        const sessions = listSessions(database);
        if (json) for await (const session of sessions) console.log(jsonText(session));
        else for await (const table of formatTables(TITLES, rowsOf(sessions), WHOLE)) console.log(table);
      });
    });
}

function revokeCommand(): Command {
  return new Command("revoke")
    .description("Ends a session: within 30 seconds no API accepts it. It stays in the list for a month.")
    .argument("<id>", "the id of the session, 12 hexadecimal digits")
    .addOption(storeOption())
    .addHelpText("after", helpText({ examples: [[commandOf("sessions", "revoke 3f9c2a7b51d0")]] }))
    .action(async (id: string, { data }: StoreOptions) => {
      await withMigratedDatabase(data, SESSIONS, async (database) => {
        if (!(await endSession(database, id)))
          throw new ExitError(EXIT.failed, plain(`There is no session ${id} that is not ended.`));
        console.log(`The session ${id} is ended.`);
      });
    });
}

/** Nothing may be cut off, whatever the width of the terminal. */
const WHOLE = Number.POSITIVE_INFINITY;

const TITLES = ["ID", "HOLDER", "CREATED", "LAST USED", "ENDS", "BY", "SCOPES"].map((title) => ({ title }));

async function* rowsOf(sessions: AsyncIterable<Session>): AsyncGenerator<string[], void, void> {
  for await (const session of sessions) yield rowOf(session);
}

function rowOf({ id, kind, principalId, createdAt, lastUsedAt, origin, scopes, ...ends }: Session): string[] {
  const holder = `${kind} ${principalId}`;
  return [id, holder, minute(createdAt), minute(lastUsedAt), endOf(ends), origin, scopes.join(" ")];
}

function minute(moment: string): string {
  return `${moment.slice(0, 16)}Z`;
}

function endOf({
  revokedAt,
  endsAt,
  idleEndsAt,
}: Pick<Session, "revokedAt" | "endsAt" | "idleEndsAt">): string {
  if (revokedAt !== undefined) return "revoked";
  const end = idleEndsAt < endsAt ? idleEndsAt : endsAt;
  return Date.parse(end) <= Date.now() ? "expired" : minute(end);
}

function storeOption(): Option {
  return dataOption("the data directory, without DATABASE_URL; stop Synap first");
}
