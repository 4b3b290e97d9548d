import { userInfo } from "node:os";
import { InvalidArgumentError } from "commander";

/** The login of the operating system; a container may run under a number without a name. */
export function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return "unknown";
  }
}

/** Reads an option of text, of at most so many characters. */
export function textOption(most: number): (value: string) => string {
  return (value) => {
    if (value.trim() === "" || [...value].length > most)
      throw new InvalidArgumentError(`It must have 1 to ${most} characters.`);
    return value;
  };
}
