import { describe } from "vitest";
import { ContractHarness, type InngestServerFactory } from "./contract-harness.ts";
import { describeFlow } from "./flow.contract.ts";
import { describeIntake } from "./intake.contract.ts";
import { describeSteps } from "./steps.contract.ts";

/** What apps may rely on, whatever server they talk to: driven through the real SDK on real ports. */
export function describeInngestServer(factory: InngestServerFactory): void {
  describe(`Inngest server: ${factory.name}`, { concurrent: true }, () => {
    const harness = new ContractHarness(factory);
    describeIntake(harness);
    describeSteps(harness);
    describeFlow(harness);
  });
}
