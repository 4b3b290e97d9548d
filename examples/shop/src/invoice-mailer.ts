import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineHandler, TransientHandlerError } from "@synap/synap";
import { pgSchema, text } from "drizzle-orm/pg-core";
import { invoiceIssued } from "./event-types.ts";

/** The table of migrations/0001_mails.sql. */
export const mails = pgSchema("shop").table("mails", {
  eventId: text("event_id").primaryKey(),
  recipient: text("recipient").notNull(),
});

/**
 * Mails every invoice: a file in SHOP_OUTBOX stands for the mail server. What a handler does outside the database can happen
 * twice, after a crash for example; the event's id as the file's name makes that harmless.
 */
export const invoiceMailer = defineHandler({
  name: "invoice-mailer",
  description: "Mails every invoice to the customer.",
  events: [invoiceIssued],
  mode: "async",
  async handle(events, { transaction }) {
    for (const { id, data } of events) {
      await send(
        id,
        `To: ${data.email}\nSubject: Invoice ${data.order}\n\n${(data.cents / 100).toFixed(2)} EUR\n`,
      );
    }
    const sent = events.map(({ id, data }) => ({ eventId: id, recipient: data.email }));
    await transaction.orm.insert(mails).values(sent).onConflictDoNothing();
  },
});

async function send(id: string, mail: string): Promise<void> {
  const outbox = process.env["SHOP_OUTBOX"] ?? "outbox";
  try {
    await mkdir(outbox, { recursive: true });
    await writeFile(join(outbox, `${id}.eml`), mail);
  } catch (cause) {
    // Not the event's fault: try again until the outbox can be written, and make no dead letter of it.
    throw new TransientHandlerError(`The outbox ${outbox} can't be written.`, { cause });
  }
}
