import { wholeNumber } from "@synap/types/http";

/** The id of a dead letter in an address. */
export const deadLetterId = wholeNumber(1, Number.MAX_SAFE_INTEGER).describe("The dead letter's id.");
