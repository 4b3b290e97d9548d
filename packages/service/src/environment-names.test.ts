import { describe, expect, it } from "vitest";
import { describeUnknownSettings } from "./environment-names.ts";

describe("a variable that looks like a setting of Synap", () => {
  it("causes a warning that suggests settings with a similar name", () => {
    expect(
      describeUnknownSettings({
        SYNAP_API_PROT: "8080",
        SYNAP_WROKER_PORT: "8081",
        SYNAP_SHOP_MAILBOX: "/tmp",
      }),
    ).toEqual([
      'SYNAP_API_PROT is set, but Synap has no setting of this name (did you mean "SYNAP_API_PORT" or "SYNAP_API_HOST"?).',
      "SYNAP_SHOP_MAILBOX is set, but Synap has no setting of this name.",
      'SYNAP_WROKER_PORT is set, but Synap has no setting of this name (did you mean "SYNAP_WORKER_PORT" or "SYNAP_WORKER_HOST"?).',
    ]);
  });

  it("is ignored with another prefix, or when Kubernetes sets it", () => {
    const ofServices = {
      SYNAP_SERVICE_HOST: "10.0.0.1",
      SYNAP_SERVICE_PORT_HTTP: "3400",
      SYNAP_PORT: "tcp://10.0.0.1:3400",
      SYNAP_PORT_3400_TCP_ADDR: "10.0.0.1",
      SYNAP_WEB_PORT: "tcp://10.0.0.2:80",
    };
    expect(
      describeUnknownSettings({ ...ofServices, PATH: "/bin", SYNAPSE_PORT: "1", SYNAP_URL: "" }),
    ).toEqual([]);
  });
});
