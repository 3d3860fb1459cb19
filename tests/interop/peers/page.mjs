// Looks at a page that `inspect --html` wrote as a person would, in a real browser, and prints what happened as JSON.
import { launch } from "puppeteer-core";

const [executablePath, page] = process.argv.slice(-2);
// No sandbox of its own: in containers there is often no user namespace to make one of.
const browser = await launch({ executablePath, pipe: true, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const tab = await browser.newPage();
  const requests = [];
  const complaints = [];
  tab.on("request", (request) => requests.push(request.url()));
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("console", (message) => complaints.push(message.text()));
  tab.on("dialog", (dialog) => { complaints.push(dialog.message()); dialog.dismiss(); });
  await tab.goto("file://" + page);
  const text = (selector) => tab.$eval(selector, (element) => element.innerText);
  const rows = () => tab.$$eval("#rows tr", (rows) => rows.map((row) => Number(row.dataset.number)));
  const told = { rows: await rows(), summary: await text("#summary"), stories: (await tab.$$(".story")).length };

  await tab.click('#rows tr[data-number="7"] button');
  told.opened = await text("#detail");
  told.focused = await tab.evaluate(() => document.activeElement.id);
  await tab.keyboard.press("Escape");
  told.closed = await tab.$eval("#detail", (element) => element.hidden);

  await tab.select("#status", "failed");
  told.failed = await rows();
  await tab.select("#status", "");
  await tab.type("#search", "YIELDING 3");
  told.found = await rows();
  told.count = await text("#count");
  await tab.$eval("#search", (input) => { input.value = ""; input.dispatchEvent(new Event("input")); });
  await tab.click("#warned");
  told.warned = await rows();
  await tab.click("#warned");

  const last = told.rows.at(-1);
  await tab.click(`#rows tr[data-number="${last}"] button`);
  told.hostile = await text("#detail");
  told.hacked = await tab.evaluate(() => window.hacked ?? null);
  told.scripts = await tab.$$eval("script", (scripts) => scripts.length);
  // From a story to its delivery, by keyboard alone.
  await tab.focus(".story ol button");
  await tab.keyboard.press("Enter");
  told.from_story = await text("#detail-title");
  for (const scheme of ["light", "dark"]) {
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    told[scheme] = await tab.$eval("body", (body) => getComputedStyle(body).backgroundColor);
  }
  console.log(JSON.stringify({ ...told, requests, complaints }));
} finally {
  await browser.close();
}
