/**
 * Local broker that replaces the Inngest server on one machine. It implements the server's protocol with the TypeScript
 * SDK and keeps its queue in a PostgreSQL database.
 *
 * app: a process that serves functions with the SDK. function: registered by an app, started by events or by a
 * cron schedule. run: one execution of a function. step: a part of a run whose result is kept. memo: a step's stored result.
 * call: one request to the app. job: a call or timer in the queue. attempt: number of a call, from 0.
 */
export type { InngestKeys, InngestLocalOptions } from "./options.ts";
export type { QueueDatabase, QueueSession } from "./queue/database.ts";
export type { MachineClocks } from "./queue/queue-clock.ts";
export { installInngestLocal } from "./queue/schema.ts";
export { InngestKeysError } from "./signing/read-keys.ts";
export {
  type InngestLocal,
  RegistrationRefusedError,
  startInngestLocal,
} from "./start.ts";
