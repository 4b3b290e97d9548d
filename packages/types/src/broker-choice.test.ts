import { describe, expect, it } from "vitest";
import { checkBrokerChoice } from "./broker-choice.ts";

describe("the choice of an Inngest server", () => {
  it.each([
    ["a self-hosted server", { INNGEST_BASE_URL: "http://inngest:8288" }],
    ["the cloud, by its address", { INNGEST_BASE_URL: "https://inn.gs" }],
    ["the cloud, by name and with a key", { INNGEST_CLOUD: "1", INNGEST_EVENT_KEY: "key" }],
    ["a development server", { INNGEST_DEV: "1" }],
    ["a development server, by its address", { INNGEST_DEV: "http://localhost:8288" }],
  ])("is chosen by %s", (_, variables) =>
    expect(checkBrokerChoice(variables, "INNGEST_EVENT_KEY")).toBeUndefined(),
  );

  it.each([
    ["nothing", {}],
    ["a key alone", { INNGEST_EVENT_KEY: "key" }],
    ["an empty address", { INNGEST_BASE_URL: "", INNGEST_EVENT_KEY: "key" }],
    ["no development server", { INNGEST_DEV: "0", INNGEST_EVENT_KEY: "key" }],
  ])("is not chosen by %s", (_, variables) =>
    expect(checkBrokerChoice(variables, "INNGEST_EVENT_KEY")).toMatchObject({
      code: "BROKER_NOT_CHOSEN",
      reason: expect.stringMatching(/INNGEST_BASE_URL=.*INNGEST_CLOUD=1 and INNGEST_EVENT_KEY/),
    }),
  );

  it("needs the key of the process in the cloud", () =>
    expect(
      checkBrokerChoice({ INNGEST_CLOUD: "1", INNGEST_EVENT_KEY: "key" }, "INNGEST_SIGNING_KEY"),
    ).toMatchObject({ code: "BROKER_KEY_MISSING" }));
});
