// The customers' chat page. Promises: what was typed is kept in this browser until the shop has it, and sent again
// under the same id, so that it arrives once; what the shop says is shown once, in order, whatever happens to the
// connection. Everything that anybody wrote is put into the page as text.
"use strict";
(() => {
  // How long the page waits for an answer to a message before it tries again, in milliseconds.
  const PATIENCE = 20_000;
  // The longest wait between two tries.
  const LONGEST_WAIT = 30_000;
  // How long the sign of an answer being written stays without one.
  const TYPING = 9_000;
  // A stream that has been silent for this long is dead: it says "alive" every 20 seconds.
  const SILENCE = 50_000;
  // How near to the end of the log counts as being there, in pixels.
  const NEAR = 90;
  // The opening of a chat has one id, so that a visitor is greeted once, however many tabs they open.
  const OPENING = "00000000-0000-0000-0000-000000000000";

  const page = document.getElementById("chat");
  const log = document.getElementById("log");
  const form = document.getElementById("composer");
  const field = document.getElementById("text");
  const typing = document.getElementById("typing");
  const latest = document.getElementById("latest");
  const offline = document.getElementById("offline");
  const words = page.dataset;
  const base = `/chat/${encodeURIComponent(words.merchant)}`;
  const shelf = `usual:unsent:${words.merchant}`;

  let cursor = Number(words.cursor) || 0;
  let stream = null;
  let heard = Date.now();
  let comeBack = 0;
  let connectTries = 0;
  let tries = 0;
  let sending = false;
  let nextTry = 0;
  let typingEnds = 0;
  // Who of the shop spoke last, and at which place in the log.
  let speaker = { author: "bot", seq: 0 };
  // Oldest first: {id, body, label, after, taken, element}. `after` is the cursor when it was written: the same words
  // that stand later in the log are this message. `taken` is set once the shop has it.
  let unsent = [];

  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
  const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

  function when(at) {
    const then = new Date(at);
    const days = Math.abs(Date.now() - then) / 86_400_000;
    if (then.toDateString() === new Date().toDateString()) return clock.format(then);
    return days < 6 ? day.format(then) : date.format(then);
  }

  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }

  function make(tag, name, text) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // The page's own rendering of a message makes the same.
  function bubble(author, by, text) {
    const item = make("li", `said ${author}`);
    item.append(make("p", "by", by));
    const inner = make("div", "bubble");
    const body = make("p", "", text);
    body.dir = "auto";
    inner.append(body);
    item.append(inner);
    return item;
  }

  function isAtEnd() {
    return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  }

  function toEnd() {
    log.scrollTop = log.scrollHeight;
    latest.hidden = true;
  }

  function keep() {
    const waiting = unsent.filter((entry) => !entry.taken).map(({ id, body, label, after }) => ({ id, body, label, after }));
    try {
      if (waiting.length) localStorage.setItem(shelf, JSON.stringify(waiting));
      else localStorage.removeItem(shelf);
    } catch {
      // A browser that keeps nothing still sends.
    }
  }

  function kept() {
    try {
      const waiting = JSON.parse(localStorage.getItem(shelf) || "[]");
      return Array.isArray(waiting) ? waiting.filter((entry) => entry && entry.id && entry.body) : [];
    } catch {
      return [];
    }
  }

  function showTyping(on) {
    const end = isAtEnd();
    clearTimeout(typingEnds);
    typing.hidden = !on;
    log.classList.toggle("answering", on);
    if (on) typingEnds = setTimeout(() => showTyping(false), TYPING);
    if (end) toEnd();
  }

  // Buttons work below the latest message of the shop only.
  function greyOut() {
    for (const button of log.querySelectorAll("[data-press]")) button.disabled = true;
  }

  // Whether a message in the log is the one that waits in `unsent`; if so it waits no longer.
  function settle(message) {
    const found = unsent.find((entry) => message.seq > entry.after && entry.element
      && (message.kind === "press" ? entry.body.press !== undefined : entry.label.trim() === message.text.trim()));
    if (found) drop(found);
  }

  function drop(entry) {
    entry.element?.remove();
    entry.element = null;
    if (entry.taken) unsent = unsent.filter((other) => other !== entry);
  }

  function show(message) {
    if (message.seq <= cursor) return;
    cursor = message.seq;
    const end = isAtEnd();
    const mine = message.author === "customer";
    const by = mine ? words.you : message.author === "staff" && message.name ? message.name : words.shop;
    const item = bubble(message.author, by, message.text);
    item.dataset.seq = message.seq;
    item.dataset.kind = message.kind;
    if (!mine) {
      speaker = { author: message.author, seq: message.seq };
      greyOut();
      showTyping(false);
      // An answer came: what the shop has taken stands in the log above it.
      for (const entry of unsent.filter((entry) => entry.taken && message.seq > entry.after)) drop(entry);
    }
    if (message.buttons.length) {
      const quick = make("div", "quick");
      for (const { label, data } of message.buttons) {
        const button = make("button", "", label);
        button.type = "button";
        button.dataset.press = data;
        quick.append(button);
      }
      item.append(quick);
    }
    const time = make("time", "", when(message.at));
    time.dateTime = new Date(message.at).toISOString();
    item.append(time);
    if (mine) settle(message);
    log.insertBefore(item, log.querySelector(".waiting, .refused"));
    if (end) toEnd();
    else if (!mine) latest.hidden = false;
  }

  function wait(entry, state) {
    if (!entry.element) return;
    entry.element.querySelector(".state").textContent = state;
  }

  function add(entry) {
    unsent.push(entry);
    if (entry.label !== "") {
      entry.element = bubble("customer waiting", words.you, entry.label);
      entry.element.append(make("p", "state", words.sending));
      log.append(entry.element);
      toEnd();
    }
    keep();
  }

  function say(body, label) {
    add({ id: body.open ? OPENING : newId(), body, label, after: cursor, taken: false, element: null });
    flush();
  }

  function retry(seconds) {
    tries += 1;
    const wanted = seconds > 0 ? seconds * 1_000 : 500 * 2 ** Math.min(tries, 6);
    clearTimeout(nextTry);
    // Not at the very moment at which everybody else tries.
    nextTry = setTimeout(flush, Math.min(wanted, LONGEST_WAIT) * (1 + Math.random() / 4));
  }

  // Sends what waits, one after the other, so that the shop hears it in the order in which it was written.
  async function flush() {
    if (sending) return;
    sending = true;
    try {
      for (let entry = unsent.find((e) => !e.taken); entry; entry = unsent.find((e) => !e.taken)) {
        if (!(await post(entry))) break;
      }
    } finally {
      sending = false;
    }
  }

  // Whether the next one may be sent.
  async function post(entry) {
    let response;
    try {
      response = await fetch(`${base}/messages`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ id: entry.id, ...entry.body }),
        signal: AbortSignal.timeout ? AbortSignal.timeout(PATIENCE) : undefined,
      });
    } catch {
      wait(entry, words.again);
      retry(0);
      return false;
    }
    if (response.ok) {
      tries = 0;
      entry.taken = true;
      wait(entry, "");
      entry.element?.classList.add("taken");
      keep();
      if (!entry.element) unsent = unsent.filter((other) => other !== entry);
      // The answer may have been faster than this word; and a person's answer may take its time.
      if (speaker.seq <= entry.after && speaker.author === "bot") showTyping(true);
      return true;
    }
    if (response.status === 401 && !sessionStorage.getItem("usual:cookie")) {
      // The browser has lost its cookie; the page brings a new one, and what waits is kept.
      sessionStorage.setItem("usual:cookie", "asked");
      location.reload();
      return false;
    }
    if ([400, 403, 404, 413, 415].includes(response.status)) {
      refuse(entry);
      return true;
    }
    wait(entry, words.again);
    retry(Number(response.headers.get("Retry-After")) || 0);
    return false;
  }

  // The shop will never take it. It stays in sight, and its words can be copied or changed.
  function refuse(entry) {
    unsent = unsent.filter((other) => other !== entry);
    keep();
    if (!entry.element) return;
    wait(entry, words.refused);
    entry.element.classList.replace("waiting", "refused");
    if (entry.body.text && field.value === "") {
      field.value = entry.body.text;
      grow();
    }
  }

  function connect() {
    clearTimeout(comeBack);
    stream?.close();
    heard = Date.now();
    const opened = new EventSource(`${base}/events?after=${cursor}`);
    stream = opened;
    opened.onopen = () => {
      heard = Date.now();
      connectTries = 0;
      offline.hidden = true;
      sessionStorage.removeItem("usual:cookie");
      if (unsent.some((entry) => !entry.taken)) flush();
    };
    opened.addEventListener("alive", () => { heard = Date.now(); });
    opened.onmessage = (event) => {
      heard = Date.now();
      show(JSON.parse(event.data));
    };
    opened.onerror = () => {
      if (opened !== stream) return;
      connectTries += 1;
      // One lost connection is healed before anybody need know of it.
      if (connectTries > 1) offline.hidden = false;
      if (opened.readyState === EventSource.CLOSED) {
        clearTimeout(comeBack);
        const pause = Math.min(1_000 * 2 ** Math.min(connectTries, 5), LONGEST_WAIT);
        comeBack = setTimeout(connect, pause * (0.5 + Math.random()));
      }
    };
  }

  function wake() {
    if (document.visibilityState !== "visible") return;
    if (Date.now() - heard > SILENCE || stream?.readyState === EventSource.CLOSED) connect();
    if (unsent.some((entry) => !entry.taken)) flush();
  }

  // As high as what is written, up to the style's limit.
  function grow() {
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 3}px`;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    grow();
    say({ text }, text);
    field.focus();
  });
  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  log.addEventListener("click", (event) => {
    const button = event.target.closest("[data-press]");
    if (!button || button.disabled) return;
    greyOut();
    say({ press: button.dataset.press }, button.textContent);
    // The button is gone from the way of the keyboard; the next thing to do is to write or to wait.
    if (matchMedia("(hover: hover)").matches) field.focus();
  });
  log.addEventListener("scroll", () => {
    if (isAtEnd()) latest.hidden = true;
  }, { passive: true });
  latest.addEventListener("click", () => {
    toEnd();
    field.focus();
  });
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  window.addEventListener("pagehide", () => stream?.close());
  // A keyboard that opens, a line that appears above the field: who was at the end stays there.
  let wasAtEnd = true;
  log.addEventListener("scroll", () => { wasAtEnd = isAtEnd(); }, { passive: true });
  new ResizeObserver(() => { if (wasAtEnd) toEnd(); }).observe(log);
  setInterval(wake, SILENCE / 2);

  for (const time of log.querySelectorAll("time[data-at]")) {
    const at = Number(time.dataset.at);
    time.dateTime = new Date(at).toISOString();
    time.textContent = when(at);
  }
  // What an earlier page did not get through. The log may hold it already: then it is sent again unseen, and the shop
  // knows its id.
  const said = [...log.querySelectorAll(".bot, .staff")].at(-1);
  if (said) speaker = { author: said.classList.contains("staff") ? "staff" : "bot", seq: Number(said.dataset.seq) };
  for (const entry of kept()) {
    add({ ...entry, taken: false, element: null });
  }
  for (const item of log.querySelectorAll("[data-seq].customer")) {
    settle({ seq: Number(item.dataset.seq), kind: item.dataset.kind, text: item.querySelector(".bubble").textContent });
  }
  connect();
  if (cursor === 0 && unsent.length === 0) say({ open: true }, "");
  else flush();
  toEnd();
  if (matchMedia("(hover: hover)").matches) field.focus();
})();
