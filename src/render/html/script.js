"use strict";
// Text from outside reaches the page as text content only: nothing here writes markup.
(() => {
  const PAGE = 300;
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const byNumber = new Map(data.deliveries.map((delivery) => [delivery.about.number, delivery]));

  // What a reader could not see, or what would change the order of what is seen.
  const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
  const visible = (text) => String(text).replace(HIDDEN, (c) => "\\u{" + c.codePointAt(0).toString(16) + "}");

  function element(name, options = {}, ...children) {
    const made = document.createElement(name);
    if (options.class) made.className = options.class;
    if (options.text !== undefined) made.textContent = visible(options.text);
    if (options.attributes) for (const [key, value] of Object.entries(options.attributes)) made.setAttribute(key, value);
    if (options.click) made.addEventListener("click", options.click);
    made.append(...children.filter(Boolean));
    return made;
  }

  const payload = (delivery) => delivery.record.payload || {};
  const statusOf = (delivery) => payload(delivery).status || payload(delivery).raw_status || (delivery.record.payload ? "no status" : "not JSON");
  const verdictOf = (delivery) => (delivery.record.signature || {}).verdict || "unsigned";
  const bodyOf = (delivery) => delivery.about.text ?? delivery.record.body ?? "";

  const STATUS_CLASS = { succeeded: "good", failed: "bad", processing: "busy", starting: "busy" };
  const VERDICT_CLASS = { verified: "good", authenticated: "good", invalid: "bad" };
  const statusClass = (status) => STATUS_CLASS[status] || "warn";
  const verdictClass = (verdict) => VERDICT_CLASS[verdict] || "quiet";

  function answerOf(record) {
    const answer = record.answer;
    if (!answer) return record.error ? "none: " + record.error : "none";
    return (answer.status ?? "none") + (answer.did ? " " + answer.did : "") + " in " + answer.ms + " ms";
  }

  function remarksOf(delivery) {
    const remarks = delivery.about.warnings.map((warning) => warning.code);
    if (delivery.about.repeat) remarks.unshift(delivery.about.repeat);
    if (verdictOf(delivery) === "invalid") remarks.unshift(delivery.record.signature.reason);
    return remarks.join(", ");
  }

  // --- the table -----------------------------------------------------------------------------------------------

  let left = data.deliveries;
  let shown = 0;

  function row(delivery) {
    const { number } = delivery.about;
    const open = element("button", {
      text: number, click: () => show(number), attributes: { type: "button", "aria-label": "Open delivery " + number },
    });
    const cell = (text, name) => element("td", { text, class: name });
    const status = statusOf(delivery);
    const made = element("tr", { attributes: { "data-number": number } },
      element("td", {}, open),
      cell(delivery.record.at),
      cell(status, statusClass(status)),
      cell(payload(delivery).provider || "-"),
      cell(payload(delivery).event || "-"),
      cell(verdictOf(delivery), verdictClass(verdictOf(delivery))),
      cell(answerOf(delivery.record)),
      cell(payload(delivery).id || "-", "id"),
      cell(remarksOf(delivery), "remarks warn"));
    made.addEventListener("click", (event) => { if (!event.target.closest("button")) show(number); });
    return made;
  }

  function showRows() {
    const next = left.slice(shown, shown + PAGE);
    byId("rows").append(...next.map(row));
    shown += next.length;
    byId("more").hidden = shown >= left.length;
  }

  function filter() {
    const text = byId("search").value.toLowerCase();
    const [provider, status, verdict] = ["provider", "status", "verdict"].map((id) => byId(id).value);
    left = data.deliveries.filter((delivery) =>
      (!provider || payload(delivery).provider === provider)
      && (!status || statusOf(delivery) === status)
      && (!verdict || verdictOf(delivery) === verdict)
      && (!byId("warned").checked || delivery.about.warnings.length > 0)
      && (!text || JSON.stringify([delivery.record.headers, delivery.record.target, payload(delivery)]).toLowerCase().includes(text)
        || bodyOf(delivery).toLowerCase().includes(text)));
    byId("rows").replaceChildren();
    shown = 0;
    showRows();
    byId("count").textContent = left.length + " of " + data.deliveries.length;
  }

  function choices(id, word, all) {
    const words = [...new Set(data.deliveries.map(word))].filter(Boolean).sort();
    byId(id).append(element("option", { text: all, attributes: { value: "" } }));
    byId(id).append(...words.map((text) => element("option", { text, attributes: { value: text } })));
    byId(id).addEventListener("change", filter);
  }

  // --- one delivery --------------------------------------------------------------------------------------------

  function list(pairs) {
    const made = element("dl");
    for (const [label, text, name] of pairs) {
      if (text !== undefined && text !== null && text !== "") {
        made.append(element("dt", { text: label }), element("dd", { text, class: name }));
      }
    }
    return made;
  }

  function show(number) {
    const delivery = byNumber.get(number);
    const { record, about } = delivery;
    const signature = record.signature || {};
    const is = payload(delivery);
    document.querySelectorAll("tr[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    const current = document.querySelector('tr[data-number="' + number + '"]');
    if (current) current.setAttribute("aria-current", "true");
    byId("detail-title").textContent = visible("Delivery #" + number + ": " + statusOf(delivery) + " " + (is.id || ""));
    const facts = list([
      ["at", record.at],
      ["request", [record.method, record.target].filter(Boolean).join(" ")],
      ["from", record.remote],
      ["sent to", record.url && record.url + ", attempt " + record.attempt + " of " + record.of],
      ["provider", [is.provider, is.variant].filter(Boolean).join(" ")],
      ["event", is.event && is.event + (is.event_inferred ? " (inferred)" : "")],
      ["key", is.key],
      ["signature", [signature.verdict, signature.scheme, signature.reason].filter(Boolean).join(" "), verdictClass(verdictOf(delivery))],
      ["hint", signature.hint],
      ["repeat", about.repeat, "warn"],
      ["answer", answerOf(record)],
      ...about.warnings.map((warning) => ["warning", warning.code + ": " + warning.message, "warn"]),
    ]);
    byId("detail-body").replaceChildren(
      facts,
      element("h3", { text: "Headers" }),
      element("div", { class: "mono" }, list((record.headers || []).map(([name, value]) => [name, value]))),
      element("h3", { text: "Body" }),
      body(delivery));
    byId("detail").hidden = false;
    byId("detail-title").focus();
    byId("detail").scrollIntoView({ block: "nearest" });
  }

  function close() {
    if (byId("detail").hidden) return;
    byId("detail").hidden = true;
    const current = document.querySelector("tr[aria-current] button");
    if (current) current.focus();
  }

  function body(delivery) {
    const text = bodyOf(delivery);
    if (!text && delivery.record.body_base64) {
      return element("pre", { text: "not text; base64: " + delivery.record.body_base64 });
    }
    const tree = parse(text);
    const raw = element("details", {}, element("summary", { text: "As sent" }), element("pre", { text }));
    if (tree === undefined) return element("pre", { text: text || "empty" });
    return element("div", {}, element("div", { class: "tree mono" }, branch(null, tree, OPEN)), raw);
  }

  // --- JSON, with every key and every number as it was sent ----------------------------------------------------

  const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|([-+.\w]+))/y;

  // Objects become { members: [[key, value]] }, arrays { items: [] }, everything else its own text.
  function parse(text) {
    try { JSON.parse(text); } catch { return undefined; }
    TOKEN.lastIndex = 0;
    const stack = [];
    let root, key;
    const place = (value) => {
      const parent = stack[stack.length - 1];
      if (!parent) root = value;
      else if (parent.items) parent.items.push(value);
      else { parent.members.push([key, value]); key = undefined; }
    };
    for (let match; (match = TOKEN.exec(text)); ) {
      const [, sign, string, word] = match;
      if (sign === "{" || sign === "[") {
        const made = sign === "{" ? { members: [] } : { items: [] };
        place(made);
        stack.push(made);
      } else if (sign === "}" || sign === "]") stack.pop();
      else if (string !== undefined) {
        const parent = stack[stack.length - 1];
        if (parent && parent.members && key === undefined) key = JSON.parse(string);
        else place(string);
      } else if (word !== undefined) place(word);
    }
    return root;
  }

  function leaf(value) {
    if (value[0] === '"') return element("span", { class: "string", text: '"' + JSON.parse(value) + '"' });
    return element("span", { class: /^[-\d]/.test(value) ? "number" : "word", text: value });
  }

  // How many levels are open at first, and how many members one that is open has at most.
  const OPEN = 3;
  const SMALL = 50;

  function branch(name, value, levels) {
    const label = name === null ? null : element("span", { class: "name", text: name + ": " });
    if (typeof value === "string") return element("div", { class: "leaf" }, label, leaf(value));
    const children = value.members || value.items.map((item, index) => [String(index), item]);
    const size = value.members ? "{" + children.length + "}" : "[" + children.length + "]";
    const made = element("details", {}, element("summary", {}, label, element("span", { class: "quiet", text: size })));
    // Only what is opened is built: a payload may be large, and deep.
    const fill = () => {
      if (made.open && made.children.length === 1) made.append(...children.map(([key, child]) => branch(key, child, levels - 1)));
    };
    made.addEventListener("toggle", fill);
    if (levels > 0 && (name === null || children.length <= SMALL)) { made.open = true; fill(); }
    return made;
  }

  // --- the timeline --------------------------------------------------------------------------------------------

  let stories = 0;

  function length(ms) {
    return ms < 1000 ? Math.round(ms * 10) / 10 + " ms" : ms < 60000 ? (ms / 1000).toFixed(2) + " s" : (ms / 60000).toFixed(1) + " min";
  }

  function moment(story, delivery, index) {
    const place = (ms) => (story.ms > 0 ? Math.min(100, Math.max(0, (ms / story.ms) * 100)) : 0);
    const track = element("div", { class: "track" });
    const at = place(delivery.offset_ms);
    if (index > 0) {
      const before = place(story.deliveries[index - 1].offset_ms);
      const gap = element("i");
      gap.style.left = Math.min(before, at) + "%";
      gap.style.width = Math.abs(at - before) + "%";
      track.append(gap);
    }
    const invalid = delivery.signature.verdict === "invalid";
    const status = delivery.status || delivery.raw_status || "-";
    const dot = element("span", { text: invalid ? "✗" : delivery.repeat ? "○" : "●", class: invalid ? "bad" : statusClass(status) });
    dot.style.left = at + "%";
    dot.setAttribute("aria-hidden", "true");
    track.append(dot);
    const open = element("button", {
      text: "#" + delivery.number, click: () => show(delivery.number),
      attributes: { type: "button", "aria-label": "Open delivery " + delivery.number },
    });
    const remarks = delivery.warnings.map((warning) => warning.code + ": " + warning.message);
    const about = byNumber.get(delivery.number);
    if (about && about.about.repeat) remarks.unshift(about.about.repeat);
    return element("li", {},
      open,
      element("span", { class: "quiet", text: "+" + length(delivery.offset_ms) }),
      track,
      element("span", { text: (delivery.event || "-") + " · " + status, class: statusClass(status) }),
      ...remarks.map((text) => element("p", { class: "warn", text })));
  }

  function story(story) {
    const end = story.end || (story.warnings.length ? "no end" : "");
    const count = story.deliveries.length;
    const head = [story.provider || "not JSON", story.id || "without an id", end, count + (count === 1 ? " delivery" : " deliveries") + " in " + length(story.ms)];
    const items = element("ol", {}, ...story.deliveries.map((delivery, index) => moment(story, delivery, index)));
    const warnings = story.warnings.map((warning) => element("p", { class: "warn", text: warning.code + ": " + warning.message }));
    return element("details", { class: "story", attributes: { open: "" } }, element("summary", { text: head.filter(Boolean).join(" · ") }), items, ...warnings);
  }

  function showStories() {
    const next = data.timelines.slice(stories, stories + PAGE);
    byId("timelines").append(...next.map(story));
    stories += next.length;
    byId("more-timelines").hidden = stories >= data.timelines.length;
  }

  // --- begin ---------------------------------------------------------------------------------------------------

  choices("provider", (delivery) => payload(delivery).provider, "all");
  choices("status", statusOf, "all");
  choices("verdict", verdictOf, "all");
  byId("search").addEventListener("input", filter);
  byId("warned").addEventListener("change", filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("more").addEventListener("click", showRows);
  byId("more-timelines").addEventListener("click", showStories);
  byId("close").addEventListener("click", close);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  const times = data.deliveries.map((delivery) => delivery.record.at).sort();
  const warned = data.deliveries.filter((delivery) => delivery.about.warnings.length > 0).length;
  byId("summary").textContent = visible([
    data.deliveries.length + " deliveries", data.timelines.length + " predictions", warned + " with warnings",
    times.length ? times[0] + " to " + times[times.length - 1] : "", "by " + data.made_by,
  ].filter(Boolean).join(" · "));
  filter();
  showStories();
})();
