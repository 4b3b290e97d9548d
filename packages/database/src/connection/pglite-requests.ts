import type { Results } from "@electric-sql/pglite";
import type { SqlParameter } from "./sql-session.ts";

/** How a query's rows are to come: PGlite's options, as far as they can be sent to a thread. */
export interface PgliteQueryOptions {
  readonly rowMode?: "array" | "object" | undefined;
  /** OIDs of the types that stay the text that they are. */
  readonly unparsed?: readonly number[] | undefined;
}

/** What the engine's thread is asked to do. Requests are done in the order in which they are sent. */
export type PgliteRequest = { readonly id: number } & (
  | { readonly kind: "open"; readonly wasm: WebAssembly.Module }
  | { readonly kind: "close" }
  | ({
      readonly kind: "query";
      readonly text: string;
      readonly parameters: readonly SqlParameter[];
      readonly opening?: string | undefined;
    } & PgliteQueryOptions)
  | { readonly kind: "exec"; readonly text: string; readonly opening?: string | undefined }
  | { readonly kind: "listen" | "unlisten"; readonly channel: string }
);

/** What comes back from the thread: one answer for each request, notifications, and its end. */
export type PgliteAnswer =
  | { readonly id: number; readonly result: PgliteResult | undefined }
  | { readonly id: number; readonly error: PgliteFault }
  | { readonly channel: string; readonly payload: string }
  /** The engine has broken and can't go on. */
  | { readonly dead: string };

/** What a query gave. */
export interface PgliteResult<Row = object> extends Pick<Results<Row>, "rows" | "fields"> {
  /** By INSERT, UPDATE, DELETE and MERGE. */
  readonly affectedRows: number | undefined;
}

/** An error, as far as it can be sent between threads: PostgreSQL's fields (`code`, `detail`, ...) beside the message. */
export interface PgliteFault {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}
