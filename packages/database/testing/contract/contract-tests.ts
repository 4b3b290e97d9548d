import { it } from "vitest";
import type { EventStore } from "../../src/index.ts";

/** Tests of the contract that an implementation is excused from, and why. */
export interface ContractSkip {
  readonly reason: string;
  /** The tests' names, as written. */
  readonly tests: readonly string[];
}

export interface ContractOptions {
  /** A store on storage that other tests of the suite may have used: called once for each test, inside it. */
  readonly create: () => EventStore | Promise<EventStore>;
  readonly skip?: readonly ContractSkip[] | undefined;
}

/** Defines one test of the contract. */
export type ContractTest = (name: string, test: (store: EventStore) => Promise<void>) => void;

/** How tests are defined for one implementation; `finish` complains of a skip that names no test. */
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
