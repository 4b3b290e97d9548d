import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@synap/api/testing/free-port.ts";
import { startRealProvider } from "@synap/api/testing/real-provider.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";
import { reasonToSkip, startChromium } from "./processes/chromium.ts";

const TIME_LIMIT = 120_000;

describe.skipIf(reasonToSkip() !== undefined)("signing in at an identity provider with a browser", () => {
  const directory = mkdtempSync(join(tmpdir(), "synap-provider-"));
  let provider: Awaited<ReturnType<typeof startRealProvider>>;
  let synap: RunningCommand;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    // Another site than the API's, as providers are: the cookies have to survive that.
    provider = await startRealProvider(`${url}/sign-in/callback`, "localhost");
    synap = runSynapCommand(
      ["start", "--data", directory, "--port", `${port}`, "--worker-port", "0", "--broker-port", "0"],
      {
        env: {
          SYNAP_JWT_ISSUER: provider.url,
          SYNAP_JWT_AUDIENCE: "synap",
          SYNAP_JWT_ROLES: '{"operator":{"kind":"staff","scopes":["read","admin"]}}',
          SYNAP_PUBLIC_URL: url,
          SYNAP_OIDC_CLIENT_ID: provider.clientId,
          SYNAP_OIDC_CLIENT_SECRET: provider.clientSecret,
        },
      },
    );
    await synap.waitFor(/Ctrl-C stops it\./, TIME_LIMIT);
  });
  afterAll(async () => {
    synap?.child.kill("SIGKILL");
    await synap?.ended;
    await provider?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it("leads to the provider and back to the page, signed in", async () => {
    const browser = await startChromium();
    try {
      const page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(TIME_LIMIT);
      await page.goto(`${url}/sign-in?returnTo=/api/v1/session`);
      await page.getByRole("link", { name: "Sign in at localhost" }).click();
      await page.locator("input[name=login]").fill("grace");
      await page.locator("input[name=password]").fill("any");
      await page.locator("button[type=submit]").click();
      // The provider asks for consent.
      await page.locator("input[name=prompt][value=consent]").waitFor({ state: "attached" });
      await page.locator("button[type=submit]").click();
      await page.waitForURL(`${url}/api/v1/session`);
      const who = JSON.parse((await page.locator("body").textContent()) ?? "");
      expect(who).toMatchObject({ kind: "staff", id: "grace", scopes: ["admin", "read"] });
      expect(await page.evaluate("document.cookie")).toBe("");
    } finally {
      await browser.close();
    }
  });
});
