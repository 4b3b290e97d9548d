/** A data key as it is wrapped, and the subject that it belongs to: it is unwrapped for this subject only. */
export interface WrappedKey {
  readonly subject: string;
  readonly wrapped: string;
}

/** Wraps and unwraps the data keys of subjects with a key that is not in the database. */
export interface KeyProvider {
  /** Its name for messages: the path of a file, the address of a service. */
  readonly name: string;
  /** Wraps new data keys, in their order, with the newest wrapping key. @throws KeyProviderError */
  wrap(keys: readonly { readonly subject: string; readonly key: Buffer }[]): Promise<readonly string[]>;
  /** Unwraps data keys, in their order. @throws KeyProviderError */
  unwrap(keys: readonly WrappedKey[]): Promise<readonly Buffer[]>;
}

/** Thrown when data keys can't be wrapped or unwrapped: their provider can't be reached, or does not have the key. */
export class KeyProviderError extends Error {
  override readonly name = "KeyProviderError";
  readonly code = "KEY_PROVIDER_FAILED";

  constructor(provider: string, reason: string, options?: ErrorOptions) {
    super(`The keys of personal data can't be had from ${provider}: ${reason}`, options);
  }
}

/** Thrown when an application has event types with personal data, and nothing is configured to wrap the keys with. */
export class PersonalDataKeysMissingError extends Error {
  override readonly name = "PersonalDataKeysMissingError";
  readonly code = "PERSONAL_DATA_KEYS_MISSING";

  constructor(eventType: string) {
    super(
      `Event type "${eventType}" has personal data, and there is no key to wrap the keys of its subjects with. ` +
        "Set SYNAP_PERSONAL_DATA_KEY_FILE or SYNAP_VAULT_URL, or pass `personalData` to createSynap.",
    );
  }
}
