/** The reason why the environment does not choose an Inngest server, as a sentence for the operator. */
export interface BrokerChoiceFault {
  readonly code: "BROKER_NOT_CHOSEN" | "BROKER_KEY_MISSING";
  readonly reason: string;
}

/**
 * Checks that these environment variables choose an Inngest server explicitly. The Inngest SDK falls back to the public
 * Inngest Cloud when nothing is set, so a forgotten variable would send every event to a third party.
 *
 * @param keyVariable the key that authenticates this process: the API sends with `INNGEST_EVENT_KEY`, the
 *   worker is called with `INNGEST_SIGNING_KEY`
 */
export function checkBrokerChoice(
  variables: Readonly<Record<string, string | undefined>>,
  keyVariable: "INNGEST_EVENT_KEY" | "INNGEST_SIGNING_KEY",
): BrokerChoiceFault | undefined {
  const isSet = (name: string) => (variables[name] ?? "").trim() !== "";
  const isDev = isSet("INNGEST_DEV") && !/^(0|false)$/i.test(variables["INNGEST_DEV"] ?? "");
  if (isSet("INNGEST_BASE_URL") || isDev) return undefined;
  if (variables["INNGEST_CLOUD"] !== "1") {
    return {
      code: "BROKER_NOT_CHOSEN",
      reason:
        "INNGEST_BASE_URL is not set, and without it events would go to the public Inngest Cloud. Set it to your Inngest, for " +
        `example INNGEST_BASE_URL=http://127.0.0.1:8288, or choose the cloud with INNGEST_CLOUD=1 and ${keyVariable}.`,
    };
  }
  if (isSet(keyVariable)) return undefined;
  return {
    code: "BROKER_KEY_MISSING",
    reason: `INNGEST_CLOUD=1 needs ${keyVariable}, which Inngest Cloud shows you.`,
  };
}
