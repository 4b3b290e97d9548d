import { InvalidArgumentError } from "commander";

/** Parses an option that names a stream: its type, a slash, its id. */
export function streamOption(value: string): { aggregateType: string; aggregateId: string } {
  const slash = value.indexOf("/");
  const [aggregateType, aggregateId] = [value.slice(0, slash), value.slice(slash + 1)];
  if (slash < 1 || aggregateId === "") throw new InvalidArgumentError("It must be TYPE/ID, as in note/42.");
  return { aggregateType, aggregateId };
}
