import { SYNAP_COMMAND } from "@synap/service/called-as";
import { Command } from "commander";
import { helpText } from "../terminal/help-text.ts";
import { jsonText, plain } from "../terminal/table.ts";
import { apiUrl, type CommonOptions, connect } from "./connection.ts";

/** `synap sign-in` */
export const signInCommand = (): Command =>
  new Command("sign-in")
    .description("Makes a link by which a browser signs in, once and within 10 minutes, and prints it.")
    .addHelpText(
      "after",
      helpText({
        notes: [
          "Whoever opens the link and presses its button works in that browser under the name of your token and with its scopes, for a " +
            "day at most, or until the token is revoked or expires. So it is for yourself.",
        ],
        examples: [
          [`${SYNAP_COMMAND} sign-in`, "with the key in the data directory"],
          [`SYNAP_TOKEN=synap_... ${SYNAP_COMMAND} --url https://events.example sign-in`],
        ],
      }),
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const link = await connect(options).signInLink();
      if (options.json) return console.log(jsonText(link, 2));
      console.error(
        plain(
          `This link signs a browser in at ${apiUrl(options)}, with the name and the scopes of your token. It works once, until ` +
            `${link.expiresAt.slice(11, 16)} UTC:`,
        ),
      );
      console.log(plain(link.url));
    });
