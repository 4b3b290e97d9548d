import { describe } from "vitest";
import { appendingContract } from "./appending-contract.ts";
import { type ContractOptions, contractTests } from "./contract-tests.ts";
import { largeEventsContract } from "./large-events-contract.ts";
import { limitedAppendsContract } from "./limited-appends-contract.ts";
import { queryContract } from "./query-contract.ts";
import { readAllContract } from "./read-all-contract.ts";
import { streamLaws } from "./stream-laws.ts";
import { streamLifeContract } from "./stream-life-contract.ts";
import { streamsContract } from "./streams-contract.ts";
import { subscriptionsContract } from "./subscriptions-contract.ts";
import { visibilityContract } from "./visibility-contract.ts";

/**
 * Contract of every event store. Call it inside a `describe` for each implementation. Features
 * of databases only (transactions, hooks, grants) are tested separately.
 *
 * @example
 * describe("my store", () => {
 *   describeEventStore({ create: () => createMyStore({ catalogue: seedCatalogue }) });
 * });
 */
export function describeEventStore(options: ContractOptions): void {
  const { test, finish } = contractTests(options);
  describe("appending", () => appendingContract(test));
  describe("streams", () => {
    streamsContract(test);
    streamLifeContract(test);
  });
  describe("streams, by their laws", () => streamLaws(test));
  describe("query", () => queryContract(test));
  describe("readAll", () => readAllContract(test));
  describe("large events", () => largeEventsContract(test));
  describe("subscriptions", () => subscriptionsContract(test));
  describe("visibility", () => {
    visibilityContract(test);
    limitedAppendsContract(test);
  });
  finish();
}
