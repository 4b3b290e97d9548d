import { describe } from "vitest";
import { ContractHarness, type InngestServerFactory } from "./contract-harness.ts";
import { describeFlow } from "./flow.contract.ts";
import { describeIntake } from "./intake.contract.ts";
import { describeSteps } from "./steps.contract.ts";

/** Contract of an Inngest server with its apps, tested through the real SDK over real ports. */
export function describeInngestServer(factory: InngestServerFactory): void {
  describe(`Inngest server: ${factory.name}`, { concurrent: true }, () => {
    const harness = new ContractHarness(factory);
    describeIntake(harness);
    describeSteps(harness);
    describeFlow(harness);
  });
}
