import {
  type ApiKey,
  createApiKey,
  createKeyToken,
  listApiKeys,
  revokeApiKey,
  writeKeyToken,
} from "@synap/database/internal";
import { commandOf } from "@synap/service/called-as";
import { EXIT, ExitError, UsageError } from "@synap/service/exit-codes";
import {
  DEFAULT_SCOPES,
  isPrincipalKind,
  isScope,
  PRINCIPAL_KINDS,
  type PrincipalKind,
  principalFault,
  SCOPE_MEANINGS,
  SCOPES,
  type Scope,
} from "@synap/types/http";
import { Command, InvalidArgumentError, Option } from "commander";
import { withMigratedDatabase } from "./data-directory/with-migrated-database.ts";
import { readKeyExpiry } from "./key-expiry.ts";
import { dataOption } from "./terminal/command.ts";
import { helpText } from "./terminal/help-text.ts";
import { formatTables, jsonText, plain } from "./terminal/table.ts";

interface StoreOptions {
  readonly data: string;
}

interface CreateOptions extends StoreOptions {
  readonly kind: PrincipalKind;
  readonly id?: string;
  readonly scopes?: readonly Scope[];
  readonly expires?: string;
}

const KEYS = "API keys";

/** The command line of `keys`. */
export function keysCommand(): Command {
  return new Command("keys")
    .description(
      "Creates, lists and revokes the API keys in the database at DATABASE_URL, or in a data directory.",
    )
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addHelpText(
      "after",
      helpText({
        notes: ["An API that runs accepts a new key at once, and a revoked one no longer than 30 seconds."],
        lists: { Scopes: SCOPES.map((scope) => [scope, SCOPE_MEANINGS[scope]]) },
        environment: [
          ["DATABASE_URL", "the server; without it, the embedded database in the data directory"],
        ],
        exitCodes: ["done", "failed", "usage"],
      }),
    );
}

function createCommand(): Command {
  return new Command("create")
    .description("Creates a key and prints it. It is shown this once: only a hash of it is stored.")
    .argument("<name>", "a name for people: where the key is used")
    .addOption(
      new Option("--kind <kind>", "the kind of its holder").choices(PRINCIPAL_KINDS).default("machine"),
    )
    .option("--id <id>", "the id of the user, agent or machine (default: the name)")
    .option("--scopes <scopes>", "what it permits, separated by commas (default: by kind)", scopesOption)
    .option(
      "--expires <when>",
      "a number of days or hours such as 90d or 12h, or a moment, at most 10 years away",
      (value) => readKeyExpiry(value),
    )
    .addOption(storeOption())
    .addHelpText(
      "after",
      helpText({
        lists: {
          "Scopes by kind": PRINCIPAL_KINDS.map((kind) => [
            kind,
            DEFAULT_SCOPES[kind].join(", ") || "none: they must be given",
          ]),
        },
        examples: [
          [commandOf("keys", "create importer --scopes publish,backfill --expires 90d")],
          [commandOf("keys", "create ada --kind staff")],
        ],
      }),
    )
    .action(create);
}

function listCommand(): Command {
  return new Command("list")
    .description("Lists the keys, the newest first. Nothing of a secret is shown.")
    .option("--json", "print one key a line as JSON, for programs", false)
    .addOption(storeOption())
    .action(async ({ data, json }: StoreOptions & { readonly json: boolean }) => {
      await withMigratedDatabase(data, KEYS, async (database) => {
        const keys = listApiKeys(database);
        if (json) for await (const key of keys) console.log(jsonText(key));
        else for await (const table of formatTables(TITLES, rowsOf(keys), WHOLE)) console.log(table);
      });
    });
}

function revokeCommand(): Command {
  return new Command("revoke")
    .description("Revokes a key: within 30 seconds no API accepts it. It stays in the list.")
    .argument("<id>", "the id of the key, 12 hexadecimal digits")
    .addOption(storeOption())
    .action(async (id: string, { data }: StoreOptions) => {
      await withMigratedDatabase(data, KEYS, async (database) => {
        if (!(await revokeApiKey(database, id)))
          throw new ExitError(EXIT.failed, plain(`There is no key ${id} that is not revoked.`));
        console.log(`The key ${id} is revoked.`);
      });
    });
}

async function create(name: string, options: CreateOptions): Promise<void> {
  const { kind, id = name, expires } = options;
  const scopes = options.scopes ?? DEFAULT_SCOPES[kind];
  if (!isPrincipalKind(kind)) throw new UsageError(`There is no kind ${kind}.`);
  const fault = principalFault(kind, id);
  if (fault !== undefined)
    throw new UsageError(plain(`The id ${JSON.stringify(id)} ${fault}. Give one with --id.`));
  if (name.length > 200) throw new UsageError("The name may have at most 200 characters.");
  if (scopes.length === 0)
    throw new UsageError("A machine has no scopes by default. Give some with --scopes.");
  const key = createKeyToken();
  const grant = { name, kind, principalId: id, scopes, ...(expires !== undefined && { expiresAt: expires }) };
  await withMigratedDatabase(options.data, KEYS, (database) => createApiKey(database, key, grant));
  const ends = expires === undefined ? "It does not expire" : `It expires at ${expires}`;
  console.error(
    plain(
      `The key ${key.id} identifies ${kind} ${id} with ${scopes.join(", ")}. ${ends}, and is shown this once:`,
    ),
  );
  console.log(writeKeyToken(key));
}

/** No scope of a key may be cut off, whatever the width of the terminal. */
const WHOLE = Number.POSITIVE_INFINITY;

const TITLES = ["ID", "NAME", "HOLDER", "CREATED", "LAST USED", "ENDS", "SCOPES"].map((title) => ({ title }));

async function* rowsOf(keys: AsyncIterable<ApiKey>): AsyncGenerator<string[], void, void> {
  for await (const key of keys) yield rowOf(key);
}

function rowOf({ id, name, kind, principalId, scopes, ...key }: ApiKey): string[] {
  const day = (moment: string | undefined) => moment?.slice(0, 10) ?? "never";
  const all = SCOPES.every((scope) => scopes.includes(scope)) ? "all" : scopes.join(" ");
  return [id, name, `${kind} ${principalId}`, day(key.createdAt), day(key.lastUsedAt), endOf(key), all];
}

function endOf({ revokedAt, expiresAt }: Pick<ApiKey, "revokedAt" | "expiresAt">): string {
  if (revokedAt !== undefined) return "revoked";
  if (expiresAt === undefined) return "never";
  return Date.parse(expiresAt) <= Date.now() ? "expired" : expiresAt.slice(0, 10);
}

function storeOption(): Option {
  return dataOption("the data directory, without DATABASE_URL; stop Synap first");
}

function scopesOption(value: string): readonly Scope[] {
  const names = value.split(",").map((name) => name.trim());
  const scopes = names.filter(isScope);
  if (scopes.length === names.length) return [...new Set(scopes)];
  throw new InvalidArgumentError(`Scopes are ${SCOPES.join(", ")}.`);
}
