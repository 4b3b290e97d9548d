import { it } from "vitest";
import type { EventStore } from "../../src/index.ts";

/** Tests of the contract that an implementation skips, with the reason. */
export interface ContractSkip {
  readonly reason: string;
  /** Names of the tests. */
  readonly tests: readonly string[];
}

export interface ContractOptions {
  /** Creates a store, whose storage may contain events of other tests. Called once inside each test. */
  readonly create: () => EventStore | Promise<EventStore>;
  readonly skip?: readonly ContractSkip[] | undefined;
}

/** Defines one test of the contract. */
export type ContractTest = (name: string, test: (store: EventStore) => Promise<void>) => void;

/** Defines the tests for one implementation. `finish` fails if a skip names no test. */
export function contractTests({ create, skip = [] }: ContractOptions): {
  test: ContractTest;
  finish: () => void;
} {
  const reasons = new Map(skip.flatMap(({ reason, tests }) => tests.map((name) => [name, reason] as const)));
  return {
    test: (name, test) => {
      const reason = reasons.get(name);
      reasons.delete(name);
      it(name, async (context) => {
        if (reason !== undefined) context.skip(reason);
        await test(await create());
      });
    },
    finish: () => {
      const unknown = [...reasons.keys()];
      if (unknown.length > 0) throw new Error(`The contract has no test called ${unknown.join(", ")}.`);
    },
  };
}
