import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";
import { reasonToSkip, startChromium } from "./processes/chromium.ts";

const FREE = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];
const TIME_LIMIT = 120_000;

const skipped = reasonToSkip();

describe.skipIf(skipped !== undefined)("signing in with a browser", () => {
  let directory: string;
  let synap: RunningCommand;
  let browser: Browser;
  let url: string;
  let printed: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "synap-sign-in-"));
    synap = runSynapCommand(["start", "--data", join(directory, "data"), ...FREE]);
    [, url = ""] = await synap.waitFor(/^ {2}API +(http:\S+)$/m, TIME_LIMIT);
    [, printed = ""] = await synap.waitFor(/^ {2}(http:\S+\/sign-in\?link=\S+)$/m, TIME_LIMIT);
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    synap?.child.kill("SIGKILL");
    await synap?.ended;
    rmSync(directory, { recursive: true, force: true });
  });

  /** Opens a page in a browser without cookies, and notes what it complains of. */
  async function open(address: string, javaScriptEnabled: boolean) {
    const context = await browser.newContext({ javaScriptEnabled });
    const page = await context.newPage();
    page.setDefaultTimeout(TIME_LIMIT);
    const complaints: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(address);
    return { page, complaints, close: () => context.close() };
  }

  const press = (page: Page) =>
    Promise.all([page.waitForURL(`${url}/`), page.getByRole("button", { name: "Sign in" }).click()]);

  it("takes the link that start prints, without scripts, once", async () => {
    const { page, complaints, close } = await open(printed, false);
    expect(await page.locator("main").textContent()).toContain("as staff operator");
    const sent: Promise<Record<string, string>>[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") sent.push(request.allHeaders());
    });
    await press(page);
    // What browsers that know no Sec-Fetch-Site are recognised by.
    expect(await Promise.all(sent)).toMatchObject([{ origin: url }]);
    await page.goto(`${url}/api/v1/session`);
    expect(await page.locator("body").textContent()).toContain('"id":"operator"');
    expect(complaints).toEqual([]);
    await page.goto(printed);
    expect(await page.locator("main").textContent()).toContain("this one was used");
    await close();
  });

  it("lets the pages work with the session of a new link, until its holder signs out", async () => {
    const command = runSynapCommand(["sign-in", "--url", url, "--data", join(directory, "data")]);
    expect(await command.ended).toBe(0);
    const link = command.stdout().trim();
    expect(command.output()).toContain(`This link signs a browser in at ${url},`);
    expect(link).toMatch(new RegExp(`^${url}/sign-in\\?link=[0-9a-f]{12}_[0-9a-f]{64}$`));

    const { page, complaints, close } = await open(link, true);
    await press(page);
    await page.goto(`${url}/docs`);
    expect(await call(page, "adminStatus")).toBe("200");
    // No script of the page can read the cookie.
    expect(await page.evaluate("document.cookie")).toBe("");
    expect(await call(page, "endSession")).toBe("200");
    expect(complaints).toEqual([]);
    expect(await call(page, "adminStatus")).toBe("403");
    await close();
  });

  /** Sends an operation from Swagger UI, and returns the status of the response. */
  async function call(page: Page, operationId: string): Promise<string> {
    const operation = page.locator(`[id$="-${operationId}"].opblock`);
    await operation.waitFor();
    if ((await operation.locator(".execute").count()) === 0)
      await operation.locator(".opblock-summary-control").click();
    const [response] = await Promise.all([
      page.waitForResponse((each) => each.url().startsWith(`${url}/api/`)),
      operation.locator(".execute").click(),
    ]);
    return String(response.status());
  }

  it("names what is missing where there is no key to make a link with", async () => {
    const command = runSynapCommand(["sign-in", "--url", url, "--data", join(directory, "elsewhere")]);
    expect(await command.ended).toBe(4);
    expect(command.output()).toContain("This needs a token, and there is none at");
  });
});

it("start prints no link in production, where its output may be kept as a log", async () => {
  const directory = mkdtempSync(join(tmpdir(), "synap-sign-in-"));
  const synap = runSynapCommand(["start", "--data", directory, ...FREE], {
    env: { NODE_ENV: "production" },
  });
  try {
    await synap.waitFor(/Ctrl-C stops it\./, TIME_LIMIT);
    expect(synap.output()).not.toContain("/sign-in?link=");
    expect(synap.output()).toContain("sign-in prints a link");
  } finally {
    synap.child.kill("SIGKILL");
    await synap.ended;
    rmSync(directory, { recursive: true, force: true });
  }
});
