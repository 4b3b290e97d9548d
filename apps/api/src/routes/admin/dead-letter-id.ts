import { wholeNumber } from "@synap/types/http";

/** The number of a dead letter, as it stands in an address. */
export const deadLetterId = wholeNumber(1, Number.MAX_SAFE_INTEGER).describe("The dead letter's number.");
