"use strict";
// Text from outside is only ever set as text content: nothing here writes markup.
(() => {
  const PAGE = 300;
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const byNumber = new Map(data.deliveries.map((delivery) => [delivery.about.number, delivery]));

  // Invisible characters, and characters that change the order of the text.
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
  const signature = (delivery) => delivery.record.signature || {};
  const statusOf = (delivery) => payload(delivery).status || payload(delivery).raw_status || (delivery.record.payload ? "no status" : "not JSON");
  const verdictOf = (delivery) => signature(delivery).verdict || "unsigned";
  const bodyOf = (delivery) => delivery.about.text ?? delivery.record.body ?? "";
  const warningsOf = (delivery) => delivery.record.warnings || [];
  const isForged = (delivery) => verdictOf(delivery) === "invalid";

  const STATUS_CLASS = { succeeded: "good", failed: "bad", processing: "busy", starting: "busy" };
  const VERDICT_CLASS = { verified: "good", authenticated: "good", invalid: "bad" };
  // The status of a forgery is not coloured.
  const statusClass = (delivery) => (isForged(delivery) ? "quiet" : STATUS_CLASS[statusOf(delivery)] || "warn");
  // A forgery sent on purpose, which the handler refused.
  const isRefusedForgery = (delivery) => isForged(delivery) && delivery.about.expected === true;
  const verdictClass = (delivery) => (isRefusedForgery(delivery) ? "quiet" : VERDICT_CLASS[verdictOf(delivery)] || "quiet");

  // The answer in one word.
  function answerOf({ record: { answer } }) {
    return answer ? String(answer.did || answer.status || "none") : "none";
  }
  // By the expectation of the sender, if there is one.
  function answerClass(delivery) {
    const { expected } = delivery.about;
    const answer = answerOf(delivery);
    if (expected !== undefined) return expected ? "good" : "bad";
    return answer[0] === "2" ? "good" : answer[0] === "3" ? "warn" : "bad";
  }

  function answerAtLength({ record: { answer, error } }) {
    if (!answer) return error ? "none: " + error : "none";
    return (answer.status ?? "none") + (answer.did ? " " + answer.did : "") + " in " + answer.ms + " ms" + (answer.line ? ": " + answer.line : "");
  }

  // Notes about a delivery: a code and a sentence each.
  function notesOf(delivery) {
    const { reason, hint } = signature(delivery);
    const notes = warningsOf(delivery).map((warning) => ({ code: warning.code, text: warning.code + ": " + warning.message }));
    if (delivery.about.repeat) notes.unshift({ code: "repeat", text: delivery.about.repeat });
    if (isForged(delivery)) notes.unshift({ code: reason, text: reason + ": " + hint, name: isRefusedForgery(delivery) ? "quiet" : "bad" });
    const { case: drilled, expect_status: wanted } = delivery.record;
    if (drilled) notes.unshift({ code: drilled, text: "drill, " + drilled + ": a good handler answers " + wanted, name: "strong" });
    return notes;
  }

  // --- local times --------------------------------------------------------------------------------------------

  const two = (number) => String(number).padStart(2, "0");
  function clock(at) {
    const time = new Date(at);
    const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
    return { day: [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-"), time: parts + "." + String(time.getMilliseconds()).padStart(3, "0") };
  }

  function length(ms) {
    return ms < 1000 ? Math.round(ms * 10) / 10 + " ms" : ms < 60000 ? (ms / 1000).toFixed(2) + " s" : (ms / 60000).toFixed(1) + " min";
  }

  // --- the filters ---------------------------------------------------------------------------------------------

  let matching = data.deliveries;
  let shown = 0;
  let matchingTimelines = data.timelines;
  let shownTimelines = 0;

  const CHOICES = {
    provider: (delivery) => delivery.about.label || "not JSON",
    event: (delivery) => payload(delivery).event || "none",
    status: statusOf,
    verdict: verdictOf,
    answer: answerOf,
  };

  // The searchable text of a delivery, with JSON escapes decoded.
  const texts = new Map();
  function textOf(delivery) {
    const { number } = delivery.about;
    if (!texts.has(number)) {
      const { record } = delivery;
      const escapes = /(?:\\(?:u[0-9a-fA-F]{4}|[^u]))+/g;
      const decode = (run) => { try { return JSON.parse('"' + run + '"'); } catch { return run; } };
      const body = bodyOf(delivery);
      const words = [
        ...Object.values(CHOICES).map((word) => word(delivery)), "#" + number, record.at, record.id, record.method, record.target, record.remote, record.url, record.error,
        ...(record.headers || []).map(([name, value]) => name + ": " + value), ...Object.values(payload(delivery)), ...Object.values(signature(delivery)),
        ...notesOf(delivery).map((note) => note.text), answerAtLength(delivery), body, body.includes("\\") ? body.replace(escapes, decode) : "",
      ];
      texts.set(number, words.filter((word) => word !== null && word !== undefined).join("\n").toLowerCase());
    }
    return texts.get(number);
  }

  function filter() {
    const text = byId("search").value.trim().toLowerCase();
    const chosen = Object.entries(CHOICES).map(([id, word]) => [byId(id).value, word]).filter(([value]) => value);
    const [warned, repeated] = [byId("warned").checked, byId("repeated").checked];
    matching = data.deliveries.filter((delivery) =>
      chosen.every(([value, word]) => word(delivery) === value)
      && (!warned || warningsOf(delivery).length > 0)
      && (!repeated || delivery.about.repeat)
      && (!text || textOf(delivery).includes(text)));
    const numbers = new Set(matching.map((delivery) => delivery.about.number));
    matchingTimelines = data.timelines.filter((timeline) => timeline.deliveries.some(([number]) => numbers.has(number)));
    byId("rows").replaceChildren();
    byId("timelines").replaceChildren();
    shown = shownTimelines = 0;
    showRows();
    showTimelines();
    const all = matching.length === data.deliveries.length;
    byId("clear").hidden = all;
    byId("count").textContent = all ? "" : matching.length + " of " + data.deliveries.length;
    byId("none").hidden = matching.length > 0;
    byId("none").textContent = all ? "The journal contains no deliveries." : "No delivery matches.";
    byId("list").hidden = byId("time").hidden = matching.length === 0;
  }

  function choices(id, word) {
    const words = [...new Set(data.deliveries.map(word))].sort();
    byId(id).append(element("option", { text: "all", attributes: { value: "" } }));
    byId(id).append(...words.map((text) => element("option", { text, attributes: { value: text } })));
    byId(id).addEventListener("change", filter);
  }

  // --- the table -----------------------------------------------------------------------------------------------

  function row(delivery) {
    const { number } = delivery.about;
    const open = element("button", {
      text: number, click: () => show(number), attributes: { type: "button", "aria-label": "Open delivery " + number },
    });
    const cell = (name, text, colour = "") => element("td", { text, class: name + " " + colour, attributes: { role: "cell" } });
    const made = element("tr", { attributes: { "data-number": number, role: "row" } },
      element("td", { class: "number", attributes: { role: "cell" } }, open),
      element("td", { class: "time", attributes: { role: "cell" } }, element("time", { text: clock(delivery.record.at).time, attributes: { datetime: delivery.record.at, title: delivery.record.at } })),
      cell("status", statusOf(delivery), statusClass(delivery)),
      cell("provider", delivery.about.label || "-"),
      cell("event", payload(delivery).event || "-"),
      cell("verdict", verdictOf(delivery), verdictClass(delivery)),
      cell("answer", answerOf(delivery), answerClass(delivery)),
      cell("id", payload(delivery).id || "-"),
      element("td", { class: "notes", attributes: { role: "cell" } },
        ...notesOf(delivery).map((note) => element("span", { text: note.code, class: note.name || "warn", attributes: { title: visible(note.text) } }))));
    made.addEventListener("click", (event) => { if (!event.target.closest("button")) show(number); });
    return made;
  }

  function showRows() {
    const next = matching.slice(shown, shown + PAGE);
    const rows = byId("rows");
    for (const [index, delivery] of next.entries()) {
      const { day } = clock(delivery.record.at);
      const before = matching[shown + index - 1];
      if (!before || clock(before.record.at).day !== day) {
        const cell = element("th", { text: day, attributes: { colspan: 9, role: "rowheader", scope: "rowgroup" } });
        rows.append(element("tr", { class: "day", attributes: { role: "row" } }, cell));
      }
      rows.append(row(delivery));
    }
    shown += next.length;
    byId("more").hidden = shown >= matching.length;
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

  // The list for "previous" and "next": the matching deliveries, or all if the current delivery does not match.
  let current = null;
  const around = () => (matching.includes(current) ? matching : data.deliveries);

  function show(number) {
    const delivery = byNumber.get(number);
    if (!delivery) return;
    current = delivery;
    const { record, about } = delivery;
    const proof = signature(delivery);
    const is = payload(delivery);
    mark(number);
    const [all, index] = [around(), around().indexOf(delivery)];
    byId("previous").disabled = index === 0;
    byId("next").disabled = index === all.length - 1;
    byId("place").textContent = (index + 1) + " of " + all.length;
    byId("detail-title").textContent = visible("Delivery #" + number + ": " + statusOf(delivery) + " " + (is.id || ""));
    const { day, time } = clock(record.at);
    const facts = list([
      ["at", day + " " + time + " (" + record.at + ")"],
      ["request", [record.method, record.target].filter(Boolean).join(" ")],
      ["from", record.remote],
      ["sent to", record.url && record.url + ", attempt " + record.attempt + " of " + record.of],
      ["drill", record.case && record.case + ": a good handler answers " + record.expect_status],
      ["provider", [about.label, is.variant].filter(Boolean).join(" ")],
      ["event", is.event && is.event + (is.event_inferred ? " (inferred)" : "")],
      ["key", is.key],
      ["error", is.error, "bad"],
      ["signature", [proof.verdict, proof.scheme, proof.reason].filter(Boolean).join(" "), verdictClass(delivery)],
      ["hint", proof.hint],
      ["repeat", about.repeat, "warn"],
      ["answer", answerAtLength(delivery), answerClass(delivery)],
      ...warningsOf(delivery).map((warning) => ["warning", warning.code + ": " + warning.message, "warn"]),
    ]);
    byId("detail-body").replaceChildren(
      facts,
      element("h3", { text: "Headers" }),
      element("div", { class: "mono" }, list((record.headers || []).map(([name, value]) => [name, value]))),
      element("h3", { text: "Body" }),
      body(delivery));
    if (!byId("detail").open) {
      opened = number;
      byId("detail").showModal();
    }
    byId("detail").scrollTop = 0;
    byId("detail-title").focus();
  }

  function mark(number) {
    document.querySelectorAll("tr[aria-current]").forEach((row) => row.removeAttribute("aria-current"));
    const row = document.querySelector('tr[data-number="' + number + '"]');
    if (row) row.setAttribute("aria-current", "true");
    return row;
  }

  function go(by) {
    const next = around()[around().indexOf(current) + by];
    if (next) show(next.about.number);
  }

  // After moving to another delivery, the focus returns to the row of that delivery.
  let opened = null;
  function closed() {
    const row = current && current.about.number !== opened && document.querySelector('tr[data-number="' + current.about.number + '"] button');
    if (row) row.focus();
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

  // Levels of the tree that are open at first, and the most members of an object that is opened.
  const OPEN = 3;
  const SMALL = 50;

  function branch(name, value, levels) {
    const label = name === null ? null : element("span", { class: "name", text: name + ": " });
    if (typeof value === "string") return element("div", { class: "leaf" }, label, leaf(value));
    const children = value.members || value.items.map((item, index) => [String(index), item]);
    const size = value.members ? "{" + children.length + "}" : "[" + children.length + "]";
    const made = element("details", {}, element("summary", {}, label, element("span", { class: "quiet", text: size })));
    // Children are built when they are opened: a payload may be large and deep.
    const fill = () => {
      if (made.open && made.children.length === 1) made.append(...children.map(([key, child]) => branch(key, child, levels - 1)));
    };
    made.addEventListener("toggle", fill);
    if (levels > 0 && (name === null || children.length <= SMALL)) { made.open = true; fill(); }
    return made;
  }

  // --- the timeline --------------------------------------------------------------------------------------------

  function timelineRow(timeline, index) {
    const place = (ms) => (timeline.ms > 0 ? Math.min(100, Math.max(0, (ms / timeline.ms) * 100)) : 0);
    const [number, offset] = timeline.deliveries[index];
    const delivery = byNumber.get(number);
    const track = element("div", { class: "track", attributes: { "aria-hidden": "true" } });
    const at = place(offset);
    if (index > 0) {
      const before = place(timeline.deliveries[index - 1][1]);
      const gap = element("i");
      gap.style.left = Math.min(before, at) + "%";
      gap.style.width = Math.abs(at - before) + "%";
      track.append(gap);
    }
    const sign = isForged(delivery) ? ["✗", isRefusedForgery(delivery) ? "quiet" : "bad"] : delivery.about.repeat ? ["○", "warn"] : ["●", statusClass(delivery)];
    const dot = element("span", { text: sign[0], class: sign[1] });
    dot.style.left = at + "%";
    track.append(dot);
    const open = element("button", {
      text: "#" + number, click: () => show(number), attributes: { type: "button", "aria-label": "Open delivery " + number },
    });
    const words = [...new Set([payload(delivery).event, statusOf(delivery)])].filter(Boolean);
    return element("li", { class: matching.includes(delivery) ? "" : "other" },
      open,
      element("span", { class: "offset quiet", text: index === 0 ? clock(delivery.record.at).time : "+" + length(offset) }),
      track,
      element("span", { class: "what" },
        element("span", { text: words.join(" · "), class: statusClass(delivery) }), " ",
        element("span", { text: answerOf(delivery), class: answerClass(delivery), attributes: { title: visible("answered " + answerAtLength(delivery)) } })),
      ...notesOf(delivery).map((note) => element("p", { text: note.text, class: note.name || "warn" })));
  }

  function timeline(timeline) {
    const end = timeline.end || (timeline.warnings.length ? "no end" : "");
    const count = timeline.deliveries.length;
    const noun = timeline.sent ? (count === 1 ? " attempt" : " attempts") : (count === 1 ? " delivery" : " deliveries");
    const about = [count + noun + (count > 1 ? " in " + length(timeline.ms) : "")];
    const summary = element("summary", {},
      element("span", { text: timeline.label || "not JSON" }), " ",
      element("strong", { class: "mono", text: timeline.id || "no id" }), " ",
      end && element("span", { text: end, class: STATUS_CLASS[end] || "warn" }), " ",
      element("span", { text: about.join(""), class: "quiet" }));
    const items = element("ol", {}, ...timeline.deliveries.map((_, index) => timelineRow(timeline, index)));
    const warnings = timeline.warnings.map((warning) => element("p", { class: "warn", text: warning.code + ": " + warning.message }));
    return element("details", { class: "story", attributes: { open: "" } }, summary, items, ...warnings);
  }

  function showTimelines() {
    const next = matchingTimelines.slice(shownTimelines, shownTimelines + PAGE);
    byId("timelines").append(...next.map(timeline));
    shownTimelines += next.length;
    byId("more-timelines").hidden = shownTimelines >= matchingTimelines.length;
  }

  // --- begin ---------------------------------------------------------------------------------------------------

  for (const [id, word] of Object.entries(CHOICES)) choices(id, word);
  byId("search").addEventListener("input", filter);
  byId("warned").addEventListener("change", filter);
  byId("repeated").addEventListener("change", filter);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  // After the reset, when the fields are empty.
  byId("filters").addEventListener("reset", () => { setTimeout(() => { filter(); byId("search").focus(); }); });
  byId("more").addEventListener("click", showRows);
  byId("more-timelines").addEventListener("click", showTimelines);
  byId("previous").addEventListener("click", () => go(-1));
  byId("next").addEventListener("click", () => go(1));
  byId("close").addEventListener("click", () => byId("detail").close());
  byId("detail").addEventListener("close", closed);
  // A click on the backdrop closes the dialog.
  byId("detail").addEventListener("click", (event) => { if (event.target === byId("detail")) byId("detail").close(); });
  byId("detail").addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { event.preventDefault(); go(by); }
  });
  const isAll = (is) => data.deliveries.length > 0 && data.deliveries.every(({ record }) => is(record));
  const title = isAll((record) => record.case) ? "Deliveries of a drill" : isAll((record) => record.direction === "sent") ? "Sent deliveries" : "Recorded deliveries";
  document.title = "hookctl: " + title.toLowerCase();
  byId("title").textContent = title;
  const times = data.deliveries.map((delivery) => delivery.record.at).sort();
  const local = (at) => { const { day, time } = clock(at); return day + " " + time; };
  const count = (number, one, many) => number && number + " " + (number === 1 ? one : many);
  byId("summary").textContent = visible([
    count(data.deliveries.length, "delivery", "deliveries") || "no deliveries",
    count(data.timelines.length, "prediction", "predictions"),
    count(data.deliveries.filter((delivery) => isForged(delivery) && !isRefusedForgery(delivery)).length, "with an invalid signature", "with invalid signatures"),
    count(data.deliveries.filter((delivery) => warningsOf(delivery).length > 0).length, "with warnings", "with warnings"),
    times.length && local(times[0]) + " to " + local(times[times.length - 1]) + ", local time", "by " + data.made_by,
  ].filter(Boolean).join(" · "));
  filter();
})();
