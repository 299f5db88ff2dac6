// What htmx does not do for the console: ringing, counting, ticking times, and a loud word when the connection is gone.
// Everything that customers wrote comes as finished markup from the program; nothing here puts text together to HTML.
"use strict";
(() => {
  // Between two rings while an order waits, in milliseconds.
  const RING_EVERY = 4_000;
  // Between two looks at the clock.
  const TICK = 5_000;
  // How long a lost connection may take to heal before the page says so.
  const SILENCE = 4_000;
  // How near to the end of the messages counts as being there, in pixels.
  const NEAR = 90;

  const KEY = "usual:sound";
  const sound = document.getElementById("sound");
  const silent = document.getElementById("silent");
  const offline = document.getElementById("offline");
  const shop = document.body.dataset.shop;

  let audio = null;
  let isOn = remembered();
  let waiting = 0;
  let lost = 0;
  let lock = null;
  // How far the program's clock is ahead of this device's; a difference below a minute is the way here.
  let ahead = 0;

  // The sound is on until somebody turns it off: a silent console loses orders.
  function remembered() {
    try {
      return localStorage.getItem(KEY) !== "off";
    } catch {
      return true;
    }
  }

  function remember() {
    try {
      localStorage.setItem(KEY, isOn ? "on" : "off");
    } catch {
      // Then it is on again at the next visit.
    }
  }

  function counted(name) {
    return Number(document.querySelector("#counts data")?.dataset[name]) || 0;
  }

  // Browsers give no sound to a page that nobody has touched.
  function canRing() {
    return audio !== null && audio.state === "running";
  }

  function tone(at, frequency, length) {
    const voice = audio.createOscillator();
    const level = audio.createGain();
    voice.type = "triangle";
    voice.frequency.value = frequency;
    level.gain.setValueAtTime(0.0001, at);
    level.gain.exponentialRampToValueAtTime(0.6, at + 0.02);
    level.gain.exponentialRampToValueAtTime(0.0001, at + length);
    voice.connect(level).connect(audio.destination);
    voice.start(at);
    voice.stop(at + length);
  }

  function ring(frequencies) {
    if (!isOn || !canRing()) return;
    frequencies.forEach((frequency, at) => tone(audio.currentTime + at * 0.22, frequency, 0.4));
  }

  const ORDER = [880, 1175, 880, 1175];
  const PERSON = [523, 659];

  async function allow() {
    if (!isOn) return;
    try {
      audio ??= new AudioContext();
      await audio.resume();
    } catch {
      audio = null;
    }
    draw();
  }

  // A kitchen's screen stays lit while it is to ring.
  async function stayAwake() {
    try {
      if (isOn && document.visibilityState === "visible" && !lock) {
        lock = await navigator.wakeLock.request("screen");
        lock.addEventListener("release", () => { lock = null; });
      } else if (!isOn && lock) {
        await lock.release();
      }
    } catch {
      // Not every browser can.
    }
  }

  function draw() {
    sound.setAttribute("aria-pressed", String(isOn));
    sound.textContent = isOn ? "Sound on" : "Sound off";
    silent.hidden = !isOn || canRing();
    const fresh = counted("new");
    document.title = fresh > 0 ? `(${fresh}) New orders` : shop;
    for (const [id, count] of [["count-new", fresh], ["count-waiting", counted("waiting")], ["count-names", counted("names")]]) {
      const badge = document.getElementById(id);
      badge.textContent = String(count);
      badge.hidden = count === 0;
    }
    document.getElementById("unstored").hidden = counted("stores") === 1;
    for (const card of document.querySelectorAll(".card.placed")) card.classList.toggle("ringing", fresh > 0);
  }

  // In the same words as the program's own `clock::lasted`.
  function lasted(milliseconds) {
    const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
    const hours = Math.floor(minutes / 60);
    if (minutes === 0) return "now";
    if (hours === 0) return `${minutes} min`;
    if (hours >= 48) return `${Math.floor(hours / 24)} days`;
    return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  }

  function compare() {
    const difference = counted("now") - Date.now();
    ahead = Math.abs(difference) < 60_000 ? 0 : difference;
  }

  function tick() {
    const now = Date.now() + ahead;
    for (const element of document.querySelectorAll("[data-since]")) {
      element.textContent = lasted(now - Number(element.dataset.since));
    }
    for (const element of document.querySelectorAll("[data-due]")) {
      const left = Number(element.dataset.due) - now;
      element.classList.toggle("late", left < 0);
      element.querySelector(".left").textContent = left < 0 ? `late by ${lasted(-left)}` : `in ${lasted(left + 59_999)}`;
    }
  }

  // The messages of the open conversation stay at their end, unless somebody reads further up.
  let wasAtEnd = true;
  function messages() {
    return document.querySelector("#talk .messages");
  }
  function isAtEnd(log) {
    return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  }
  function toEnd() {
    const log = messages();
    if (log && wasAtEnd) log.scrollTop = log.scrollHeight;
  }

  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const log = messages();
    const inTalk = event.detail.target.id === "talk";
    wasAtEnd = !inTalk || !log || isAtEnd(log);
    if (!wasAtEnd) {
      const top = log.scrollTop;
      event.detail.target.addEventListener("htmx:afterSettle", () => {
        const fresh = messages();
        if (fresh) fresh.scrollTop = top;
      }, { once: true });
    }
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    toEnd();
    tick();
    draw();
    const persons = counted("waiting");
    if (persons > waiting) ring(PERSON);
    waiting = persons;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "counts") compare();
    // After an answer was sent, the next one can be typed at once.
    if (event.detail.target.id === "composer") document.getElementById("answer")?.focus();
    // On a phone the other half of the page takes its place.
    if (event.detail.target.id === "side") window.scrollTo(0, 0);
  });

  document.body.addEventListener("htmx:sseError", () => {
    if (lost === 0) lost = setTimeout(() => { offline.hidden = false; }, SILENCE);
  });
  document.body.addEventListener("htmx:sseOpen", () => {
    clearTimeout(lost);
    lost = 0;
    offline.hidden = true;
  });

  sound.addEventListener("click", () => {
    isOn = !isOn;
    remember();
    stayAwake();
    if (isOn) allow().then(() => ring(PERSON));
    else draw();
  });
  document.addEventListener("pointerdown", () => { if (!canRing()) allow(); });
  document.addEventListener("keydown", (event) => {
    if (!canRing()) allow();
    const field = event.target.closest?.("#answer");
    if (field && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest(".flash").remove();
  });
  document.addEventListener("visibilitychange", () => { stayAwake(); tick(); });

  setInterval(() => { if (counted("new") > 0) ring(ORDER); }, RING_EVERY);
  setInterval(tick, TICK);
  waiting = counted("waiting");
  compare();
  toEnd();
  tick();
  draw();
  allow();
  stayAwake();
})();
