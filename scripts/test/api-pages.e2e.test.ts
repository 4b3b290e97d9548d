import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningCommand, runSynapCommand } from "../src/processes/run-command.ts";
import { reasonToSkip, startChromium } from "./processes/chromium.ts";

const FREE = ["--port", "0", "--worker-port", "0", "--broker-port", "0"];
const TIME_LIMIT = 120_000;
/** Pictures of the pages, for those who want to look. */
const PICTURES = new URL("../../test-results/pages/", import.meta.url).pathname;

const skipped = reasonToSkip();

describe.skipIf(skipped !== undefined)("the pages of the API, in a browser", () => {
  let directory: string;
  let synap: RunningCommand;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "synap-pages-"));
    mkdirSync(PICTURES, { recursive: true });
    synap = runSynapCommand(["start", "--data", join(directory, "data"), ...FREE]);
    [, url = ""] = await synap.waitFor(/^ {2}API +(http:\S+)$/m, TIME_LIMIT);
    await synap.waitFor(/Ctrl-C stops it\./);
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    synap?.child.kill("SIGKILL");
    await synap?.ended;
    rmSync(directory, { recursive: true, force: true });
  });

  /** Opens a page, and notes what it complains of and what it asks of other servers. */
  async function open(path: string, colorScheme: "light" | "dark" = "light") {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1300, height: 900 } });
    page.setDefaultTimeout(TIME_LIMIT);
    const complaints: string[] = [];
    const received: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("response", (response) => received.push(response.url()));
    await page.goto(`${url}${path}`);
    return { page, complaints, received };
  }

  const background = (page: Page) =>
    page.evaluate("getComputedStyle(document.body).backgroundColor") as Promise<string>;

  /** Opens an operation of Swagger UI and sends it, after `fill` has changed its fields; returns the status of the response. */
  async function send(
    page: Page,
    operationId: string,
    fill: (operation: ReturnType<Page["locator"]>) => Promise<void>,
  ) {
    const operation = page.locator(`[id$="-${operationId}"].opblock`);
    if ((await operation.locator(".execute").count()) === 0)
      await operation.locator(".opblock-summary-control").click();
    await fill(operation);
    const [response] = await Promise.all([
      page.waitForResponse((each) => each.url().startsWith(`${url}/api/`)),
      operation.locator(".execute").click(),
    ]);
    const status = String(response.status());
    await operation
      .locator(".live-responses-table .response-col_status", { hasText: status })
      .first()
      .waitFor();
    return { status, body: await response.text() };
  }

  describe("Swagger UI at /docs", () => {
    it.each(["light", "dark"] as const)(
      "lists every operation in the %s theme, and breaks no rule of the page",
      async (theme) => {
        const { page, complaints, received } = await open("/docs", theme);
        await page.locator(".opblock").first().waitFor();
        const document = JSON.parse(await (await fetch(`${url}/openapi.json`)).text());
        const operations = Object.values(document.paths).flatMap((path) => Object.keys(path ?? {}));
        await expect.poll(() => page.locator(".opblock").count()).toBe(operations.length);
        expect(await background(page)).toBe(theme === "light" ? "rgb(255, 255, 255)" : "rgb(28, 32, 34)");
        await page.screenshot({ path: join(PICTURES, `swagger-ui-${theme}.png`) });
        expect(complaints).toEqual([]);
        expect(
          received.filter((address) => !address.startsWith(url) && !address.startsWith("data:")),
        ).toEqual([]);
        await page.close();
      },
    );

    it("publishes an event from the page, as a program of this machine", async () => {
      const { page, complaints } = await open("/docs");
      const id = "01890a5d-ac96-774b-bcce-b302099a8057";
      const answer = await send(page, "publishEvent", (operation) =>
        operation
          .locator("textarea.body-param__text")
          .fill(JSON.stringify({ id, type: "note.creation.requested", data: { content: "from the page" } })),
      );
      expect(answer.status).toBe("202");
      await expect
        .poll(async () => (await fetch(`${url}/api/v1/events/${id}`)).status, { timeout: TIME_LIMIT })
        .toBe(200);
      expect(complaints).toEqual([]);
      await page.close();
    });

    it("calls what needs a scope with the key that is entered under Authorize, and forgets it with the page", async () => {
      const { page } = await open("/docs");
      const change = () =>
        send(page, "pauseProjection", (operation) => operation.locator("input[type=text]").fill("nothing"));
      expect((await change()).status).toBe("403");
      await page.locator(".scheme-container .authorize").click();
      // Each scheme of the document has its own form: the session's cookie is beside the key.
      const form = page.locator(".modal-ux .auth-container", { hasText: "bearer" });
      await form.getByRole("textbox").fill(readFileSync(join(directory, "data/api-key"), "utf8").trim());
      await form.locator(".authorize").click();
      await form.getByRole("button", { name: "Close" }).click();
      const answer = await change();
      expect([answer.status, answer.body]).toEqual(["404", expect.stringContaining("projection-not-found")]);
      await page.reload();
      await page.locator(".opblock").first().waitFor();
      expect((await change()).status).toBe("403");
      await page.close();
    });
  });

  describe("ReDoc at /redoc", () => {
    it.each(["light", "dark"] as const)(
      "shows every operation in the %s theme, readable, and finds by text",
      async (theme) => {
        const { page, complaints, received } = await open("/redoc", theme);
        await page.getByRole("heading", { name: "Publish one event" }).waitFor();
        await expect.poll(() => page.locator(".redoc-wrap h2").count()).toBeGreaterThan(30);
        expect(await background(page)).toBe(theme === "light" ? "rgb(255, 255, 255)" : "rgb(28, 32, 34)");
        expect(await page.evaluate(FAINT_TEXTS)).toEqual([]);
        await page.screenshot({ path: join(PICTURES, `redoc-${theme}.png`) });
        await page.getByRole("textbox").fill("liveness");
        await page
          .getByRole("menuitem", { name: /Liveness/ })
          .first()
          .waitFor();
        // Its mark in the corner is on a server of its makers, which the page may not ask.
        expect(
          complaints.filter((complaint) => !complaint.includes("cdn.redoc.ly/redoc/logo-mini.svg")),
        ).toEqual([]);
        expect(
          received.filter((address) => !address.startsWith(url) && !/^(?:data|blob):/.test(address)),
        ).toEqual([]);
        await page.close();
      },
    );
  });

  it("follow the theme of the browser when that changes", async () => {
    for (const path of ["/docs", "/redoc"]) {
      const { page } = await open(path);
      await page.locator(".opblock, .redoc-wrap h1").first().waitFor();
      await page.emulateMedia({ colorScheme: "dark" });
      await page.locator("html.dark-mode :is(.opblock, .redoc-wrap h1)").first().waitFor();
      await page.close();
    }
  });
});

/** In the page: the texts whose contrast to what is behind them is less than 3 : 1. */
const FAINT_TEXTS = `(() => {
  const colour = (text) => {
    const [red, green, blue, alpha = 1] = text.match(/[\\d.]+/g).map(Number);
    return { channels: [red, green, blue], alpha };
  };
  const over = (top, below) => top.channels.map((channel, index) => channel * top.alpha + below[index] * (1 - top.alpha));
  const luminance = (channels) => {
    const [red, green, blue] = channels.map((channel) => {
      const part = channel / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    const layers = [];
    for (let each = element; each !== null; each = each.parentElement) layers.unshift(getComputedStyle(each).backgroundColor);
    return layers.reduce((below, layer) => over(colour(layer), below), [255, 255, 255]);
  };
  const faint = [];
  const walker = document.createTreeWalker(document.getElementById("viewer"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const element = text.parentElement;
    const range = document.createRange();
    range.selectNodeContents(text);
    const { width, height } = range.getBoundingClientRect();
    if (text.data.trim() === "" || width === 0 || height === 0 || !element.checkVisibility()) continue;
    const ground = behind(element);
    const [one, other] = [luminance(ground), luminance(over(colour(getComputedStyle(element).color), ground))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 3) faint.push(text.data.slice(0, 40) + " " + contrast.toFixed(1));
  }
  return faint;
})()`;
