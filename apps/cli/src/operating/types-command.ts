import { readFileSync } from "node:fs";
import { isProblem } from "@synap/client";
import { SYNAP_COMMAND } from "@synap/service/called-as";
import { EXIT, ExitError } from "@synap/service/exit-codes";
import { eventTypeRegistration } from "@synap/types/http";
import { counted, describeZodIssues } from "@synap/types/internal";
import { Command } from "commander";
import { z } from "zod";
import { helpText } from "../terminal/help-text.ts";
import { formatTable, jsonText } from "../terminal/table.ts";
import { type Api, type CommonOptions, connect } from "./connection.ts";

/** A file with one registration. */
const typeFile = eventTypeRegistration.extend({ name: z.string() });

/** `synap types ...` */
export const typesCommand = (): Command =>
  new Command("types")
    .description("Lists event types, and registers some without code.")
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(registerCommand());

function listCommand(): Command {
  return new Command("list")
    .description("Lists the event types whose events are accepted.")
    .addHelpText(
      "after",
      helpText({
        notes: ["FROM is code for the types of the application, and registered for those without code."],
        examples: [
          [`${SYNAP_COMMAND} types list`],
          [`${SYNAP_COMMAND} types list --json | jq '.eventTypes[] | select(.isRegistered) | .name'`],
        ],
      }),
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const types = await allOf(connect(options));
      if (options.json) return console.log(jsonText({ eventTypes: types }, 2));
      const rows = types.map(({ name, schemaVersion, isRegistered, description }) => [
        name,
        String(schemaVersion),
        isRegistered === true ? "registered" : "code",
        description,
      ]);
      console.log(formatTable(COLUMNS, rows));
    });
}

const COLUMNS = [
  { title: "TYPE" },
  { title: "VERSION", align: "right" },
  { title: "FROM" },
  { title: "DESCRIPTION" },
] as const;

async function allOf(api: Api) {
  const types = [];
  for await (const type of api.eventTypes()) types.push(type);
  return types;
}

function showCommand(): Command {
  return new Command("show")
    .description("Shows an event type as JSON: its schemas, an example, its versions.")
    .argument("<type>", "name of the event type")
    .addHelpText("after", helpText({ examples: [[`${SYNAP_COMMAND} types show shop.cart_abandoned`]] }))
    .action(async (name: string, _options, command: Command) => {
      const type = await connect(command.optsWithGlobals<CommonOptions>()).getEventType(name);
      if (type === undefined)
        throw new ExitError(EXIT.failed, `There is no event type ${JSON.stringify(name)}.`);
      console.log(jsonText(type, 2));
    });
}

function registerCommand(): Command {
  return new Command("register")
    .description("Registers an event type, or a new version of one.")
    .argument("<file>", "JSON with name, description, schema and example; aggregateType, if it is another")
    .addHelpText(
      "after",
      helpText({
        notes: [
          "The schema is JSON Schema, draft 2020-12. A new version has to accept all data that the one before it accepts. " +
            "The same file again changes nothing. It needs the scope register-types.",
        ],
        examples: [[`${SYNAP_COMMAND} types register cart-abandoned.json`]],
      }),
    )
    .action(async (file: string, _options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const { name, ...registration } = readTypeFile(file);
      const answer = await connect(options)
        .registerEventType(name, registration)
        .catch((error: unknown) => {
          throw withPlaces(error);
        });
      if (options.json) return console.log(jsonText(answer, 2));
      console.log(describeOutcome(answer));
    });
}

/** @throws ExitError */
function readTypeFile(path: string) {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const code: unknown = cause instanceof Error && "code" in cause ? cause.code : cause;
    throw new ExitError(EXIT.failed, `${path} can't be read: ${code}.`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ExitError(
      EXIT.failed,
      `${path} is not valid JSON: ${cause instanceof Error ? cause.message : cause}.`,
      { cause },
    );
  }
  const parsed = typeFile.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new ExitError(
    EXIT.failed,
    `${path} is no event type: ${describeZodIssues(parsed.error.issues, "the file")}.`,
  );
}

function describeOutcome({
  outcome,
  eventType: { name, schemaVersion },
}: Awaited<ReturnType<Api["registerEventType"]>>): string {
  if (outcome === "registered") return `registered ${name}`;
  if (outcome === "changed") return `registered version ${schemaVersion} of ${name}`;
  return `${name} is registered like that: version ${schemaVersion}`;
}

/** All faults of a schema with their places, of which the detail of the problem has the first. */
function withPlaces(error: unknown): unknown {
  if (!isProblem(error, "event-type-invalid", "event-type-incompatible")) return error;
  const { detail, errors = [], findings = [] } = placed.parse(error.problem);
  const lines = [
    ...errors.map(({ path, reason }) => `  ${path}: ${reason}`),
    ...findings.map(
      ({ pointer, reason, document }) =>
        `  data${pointer}: ${reason}${document === undefined ? "" : `, for example ${jsonText(document)}`}`,
    ),
  ];
  if (lines.length === 0) return error;
  return new ExitError(EXIT.failed, [detail, `${counted(lines.length, "place")}:`, ...lines].join("\n"), {
    cause: error,
  });
}

const placed = z.object({
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), reason: z.string() })).optional(),
  findings: z.array(z.object({ pointer: z.string(), reason: z.string(), document: z.unknown() })).optional(),
});
