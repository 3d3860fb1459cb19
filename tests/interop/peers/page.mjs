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
  // The browser gives the focus back, and the page may then move it on, each in its own time.
  const focus = (number) => tab.waitForFunction((number) => document.activeElement.closest("tr")?.dataset.number === number, {}, number);
  const rows = () => tab.$$eval("#rows tr[data-number]", (rows) => rows.map((row) => Number(row.dataset.number)));
  const told = { rows: await rows(), summary: await text("#summary"), stories: (await tab.$$(".story")).length };

  await tab.click('#rows tr[data-number="7"] button');
  told.opened = await text("#detail");
  told.focused = await tab.evaluate(() => document.activeElement.id);
  await tab.keyboard.press("Escape");
  await focus("7");
  told.closed = await tab.$eval("#detail", (element) => !element.open);

  // On to the next, by button and by key, and back to where one has come to.
  await tab.click('#rows tr[data-number="7"] button');
  await tab.click("#next");
  await tab.keyboard.press("ArrowRight");
  told.went = [await text("#detail-title"), await text("#place")];
  await tab.keyboard.press("Escape");
  await focus("9");

  await tab.select("#status", "failed");
  told.failed = await rows();
  told.failed_stories = await tab.$$eval(".story strong", (ids) => ids.map((id) => id.textContent));
  await tab.select("#status", "");
  await tab.type("#search", "YIELDING 3");
  told.found = await rows();
  told.count = await text("#count");
  const search = (words) => tab.$eval("#search", (input, words) => { input.value = words; input.dispatchEvent(new Event("input")); }, words);
  await search('it said "über"');
  told.unescaped = await rows();
  await search("overtaken: #6 was further");
  told.remarked = await rows();
  await search("nothing like this");
  told.none = [await text("#none"), await rows(), await tab.$eval("#time", (element) => element.hidden)];
  await tab.click("#clear");
  await tab.waitForFunction(() => document.querySelectorAll("#rows tr[data-number]").length > 0);
  await tab.select("#answer", "500");
  told.unanswered = await rows();
  await tab.select("#answer", "");
  await tab.click("#warned");
  told.warned = await rows();
  await tab.click("#warned");

  const last = told.rows.at(-1);
  await tab.click(`#rows tr[data-number="${last}"] button`);
  told.hostile = await text("#detail");
  told.hacked = await tab.evaluate(() => window.hacked ?? null);
  told.scripts = await tab.$$eval("script", (scripts) => scripts.length);
  await tab.keyboard.press("Escape");
  await focus(String(last));
  // From a story to its delivery, by keyboard alone.
  await tab.focus(".story ol button");
  await tab.keyboard.press("Enter");
  told.from_story = await text("#detail-title");
  told.widths = [];
  for (const width of [390, 800, 1280]) {
    await tab.setViewport({ width, height: 800 });
    told.widths.push(await tab.evaluate(() => Math.max(document.documentElement.scrollWidth, document.getElementById("detail").scrollWidth)));
  }
  for (const scheme of ["light", "dark"]) {
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    told[scheme] = await tab.$eval("body", (body) => getComputedStyle(body).backgroundColor);
  }
  console.log(JSON.stringify({ ...told, requests, complaints }));
} finally {
  await browser.close();
}
