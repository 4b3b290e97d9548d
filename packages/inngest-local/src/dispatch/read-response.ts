import type { AppResponse } from "../http/app-client.ts";
import { type RunError, readRunError } from "../lifecycle/run-error.ts";
import { MAX_OUTPUT_BYTES, type Operation, readOperations } from "../steps/operation.ts";
import { parseRetryAfter } from "./retry-delay.ts";

/** Parsed answer of an app to a call. `final`: not to be retried. `retryAfter` in milliseconds. */
export type ParsedResponse =
  | { readonly kind: "finished"; readonly output: string }
  | {
      readonly kind: "operations";
      readonly operations: readonly Operation[];
      readonly final: boolean;
      readonly retryAfter: number | undefined;
    }
  | {
      readonly kind: "error";
      readonly error: RunError;
      readonly final: boolean;
      readonly retryAfter: number | undefined;
    };

/**
 * Parses the response to a call. An invalid response is an error that is retried, and so is one that the app has not
 * signed: a program that took the app's port must not be able to end a run.
 */
export function readResponse(response: AppResponse, now: number): ParsedResponse {
  const final = response.isAuthentic && header(response, "x-inngest-no-retry") === "true";
  const retryAfter = parseRetryAfter(header(response, "retry-after"), now);
  const fail = (message: string, isFinal = false): ParsedResponse => {
    return { kind: "error", error: { name: "Error", message }, final: isFinal, retryAfter };
  };
  const parsed = parseJson(response.body);
  if (response.status < 200 || response.status > 299) {
    const otherwise = `The app answered ${response.status}: ${response.body.slice(0, 500)}`;
    return { kind: "error", error: readRunError(parsed, otherwise), final, retryAfter };
  }
  if (!response.isAuthentic) {
    return fail("The response carries no valid signature: does the app have this server's signing key?");
  }
  if (header(response, "x-inngest-sdk") === undefined) {
    return fail(
      "The response does not come from an Inngest SDK (no x-inngest-sdk header): is the app's URL right?",
    );
  }
  if (response.status === 201) return fail("Streamed answers are not supported by inngest-local", true);
  if (response.status === 206) {
    const operations = readOperations(parsed);
    if (typeof operations === "string")
      return fail(`The app answered 206 with invalid operations: ${operations}`);
    return { kind: "operations", operations, final, retryAfter };
  }
  if (Buffer.byteLength(response.body) > MAX_OUTPUT_BYTES) {
    return fail(`The function's output is larger than ${MAX_OUTPUT_BYTES} bytes`, true);
  }
  // The SDK may return plain text.
  const output = parsed === undefined ? JSON.stringify(response.body || null) : response.body;
  return { kind: "finished", output };
}

function header(response: AppResponse, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** @returns undefined when it isn't JSON */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
