import { z } from "zod";

/** The number of a dead letter, as it stands in an address. */
export const deadLetterId = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, "must be the number of a dead letter")
  .describe("The dead letter's number.");
