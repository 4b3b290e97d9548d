import { type ErasureLedger, type KeyProvider, keyFile, ledgerFile, vaultKeys } from "@synap/database";
import { ConfigurationError } from "./configuration.ts";

/**
 * Reads what wraps the keys of the subjects of personal data: the key file at SYNAP_PERSONAL_DATA_KEY_FILE, or a key of Vault's transit engine
 * at SYNAP_VAULT_URL. Undefined where neither is set. An empty variable counts as unset.
 *
 * @throws ConfigurationError when both are set, or Vault without a token
 */
export function readPersonalDataKeys({
  SYNAP_PERSONAL_DATA_KEY_FILE: file,
  SYNAP_VAULT_URL: url,
  SYNAP_VAULT_TOKEN: token,
  SYNAP_VAULT_KEY: key,
  SYNAP_VAULT_MOUNT: mount,
  SYNAP_VAULT_NAMESPACE: namespace,
}: NodeJS.ProcessEnv): KeyProvider | undefined {
  if (file && url)
    throw new ConfigurationError("Set SYNAP_PERSONAL_DATA_KEY_FILE or SYNAP_VAULT_URL, not both.");
  if (file) return keyFile(file);
  if (!url) return undefined;
  if (!token) throw new ConfigurationError("SYNAP_VAULT_URL is set, and SYNAP_VAULT_TOKEN is not.");
  if (!URL.canParse(url)) throw new ConfigurationError("SYNAP_VAULT_URL is no URL.");
  return vaultKeys({
    url,
    token,
    key: key || undefined,
    mount: mount || undefined,
    namespace: namespace || undefined,
  });
}

/**
 * Reads the ledger of erased subjects: the file at SYNAP_ERASURE_LEDGER, or beside the key file. Undefined where neither is set.
 *
 * @param warn is called when keys are wrapped by Vault, and nothing says where the ledger is
 */
export function readErasureLedger(
  {
    SYNAP_ERASURE_LEDGER: path,
    SYNAP_PERSONAL_DATA_KEY_FILE: file,
    SYNAP_VAULT_URL: vault,
  }: NodeJS.ProcessEnv,
  warn: (text: string) => void = () => {},
): ErasureLedger | undefined {
  if (path) return ledgerFile(path);
  if (file) return ledgerFile(`${file}.erased`);
  if (vault)
    warn("SYNAP_ERASURE_LEDGER is not set: a restored backup would bring erased personal data back.");
  return undefined;
}
