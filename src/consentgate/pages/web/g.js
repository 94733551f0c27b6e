/**
 * The visible half of the gate: shows what there is to choose, sends the choice, and tells the
 * page's own code what may be used.
 *
 * Rule 1. The companion decides, never the mirror. Where there is no companion, nothing optional is
 *         used, and the mirror goes.
 * Rule 2. In doubt nothing optional: a companion that cannot be read, is too old, from the future
 *         or there twice; an answer that does not come; cookies that are blocked.
 * Rule 3. The server is asked only what the companion cannot say, and once: who has chosen costs no
 *         request, and no answer can start a loop.
 * Rule 4. A choice is sent once. What cannot be sent by script is sent as the form it is.
 * Rule 5. Focus is not taken by what appears, and not lost by what goes.
 * Rule 6. Nothing is thrown into the page: storage, cookies and network may each be refused.
 * Rule 7. HTML comes from the server, parsed by the browser; no text is made into HTML here.
 *
 * The server drops lines that are only a comment, and writes its constant in place of the argument
 * in the last line.
 */
"use strict";

/**
 * @typedef {object} Policy What the server knows of every visitor alike.
 * @property {string} name of the companion
 * @property {string} mirror the key of the mirror in localStorage
 * @property {string} version
 * @property {number} accepted for how many seconds a yes is valid
 * @property {number} refused for how many seconds a no is not asked about again
 * @property {boolean} asks whether only the server knows what the absence of a choice means
 * @property {boolean} quiet whether who sends Global Privacy Control is not asked at all
 * @property {string[]} always the categories that need no consent
 * @property {Record<string, string[]>} categories all others, each with the revisions that count
 * @property {string[]} sold what Global Privacy Control is about
 * @property {[string, string]} style name and integrity of the stylesheet
 * @property {string} prefix where the gate's own pages are, if nothing else says it
 */
/**
 * @typedef {object} Companion A choice as the readable cookie carries it.
 * @property {number} day in whole days since 1970
 * @property {boolean} over whether it was given over Global Privacy Control
 * @property {Map<string, string>} given by category: the revision of a yes, "" for a no
 */
/** @typedef {Map<string, "granted" | "denied">} Said in the policy's order; the rest is unsaid */
/**
 * @typedef {object} Answer
 * @property {HTMLElement | null} section what is to be shown
 * @property {string[]} allowed
 * @property {Said} said
 */
/** @typedef {"load" | "again" | "other" | "sent"} Cause */

/** @type {(policy: Policy) => void} */
((policy) => {
  const DAY = 86_400;
  const SECTION = "[data-gate]";
  const BANNER = '[data-gate="banner"]';
  const CHOICES = '[data-gate="choices"]';
  const optional = Object.keys(policy.categories);
  const known = [...policy.always, ...optional];
  const changes = new EventTarget();

  // An image of that name would stand in the property's place.
  const script =
    document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;
  const base = ownAddress();
  // A page of the gate itself: it shows the choices in its own way.
  const own = script?.dataset.quiet !== undefined;

  /** @type {string[]} */
  let allowed = policy.always;
  let choices = inFull(new Map());
  let decided = false;
  // The circumstances under which the server has said, or is being asked, what holds.
  let answered = "";
  // Counts what was asked and what was sent, so that no late answer undoes a newer one.
  let turn = 0;
  let press = 0;
  let sending = false;
  let opening = false;
  /** @type {Element | null} what the choices were opened with */
  let trigger = null;
  /** @type {Element | null} the banner in whose place they are */
  let behind = null;
  /** @type {() => void} */
  let settle = () => {};
  /** @type {Promise<void>} */
  const ready = new Promise((resolve) => {
    settle = resolve;
  });

  // ---- what the companion says ----------------------------------------------------------------

  /**
   * Return all readable cookies; null: they are blocked.
   *
   * Chromium says that cookies are enabled where all of them are blocked: it keeps none, and its
   * storage throws. Where only storage is switched off it is there and null, or just not there.
   */
  function jar() {
    try {
      const open = navigator.cookieEnabled && (document.cookie || window.localStorage !== undefined);
      return open ? document.cookie : null;
    } catch {
      // a sandboxed frame
      return null;
    }
  }

  /**
   * Return the companion's value; "" if there is none, or if it is there twice and differs.
   * @param {string} cookies
   */
  function companionIn(cookies) {
    const start = `${policy.name}=`;
    const found = cookies.split("; ").filter((pair) => pair.startsWith(start));
    const [value, ...others] = new Set(found.map((pair) => pair.slice(start.length)));
    return value === undefined || others.length > 0 ? "" : value;
  }

  /**
   * Read `DAY["!"] ("&" ID "=" [REV])*`; null: it says nothing.
   * @param {string} value
   * @returns {Companion | null}
   */
  function read(value) {
    const [head = "", ...pairs] = value.split("&");
    const [, digits, over] = /^(\d{1,6})(!?)$/.exec(head) ?? [];
    const day = Number(digits);
    // A clock may be wrong by a day or two; NaN is not in order either.
    if (!(day <= today() + 2)) return null;
    const given = new Map();
    for (const pair of pairs) {
      const [, name, revision = ""] = /^([^=]+)=([\da-f]{4})?$/.exec(pair) ?? [];
      const id = decoded(name);
      if (id === null || given.has(id)) return null;
      given.set(id, revision);
    }
    return { day, over: over === "!", given };
  }

  /**
   * Return what a companion still says today, of the categories that the policy has.
   * @param {Companion | null} companion
   */
  function wordsOf(companion) {
    /** @type {Said} */
    const said = new Map();
    if (companion === null) return said;
    const age = Date.now() / 1000 - companion.day * DAY;
    const objects = signals() && !companion.over;
    for (const id of optional) {
      const revision = companion.given.get(id);
      if (revision === undefined) continue;
      if (revision === "") {
        if (age <= policy.refused) said.set(id, "denied");
      } else if (
        age <= policy.accepted &&
        policy.categories[id]?.includes(revision) &&
        !(objects && policy.sold.includes(id))
      ) {
        said.set(id, "granted");
      }
    }
    return said;
  }

  function today() {
    return Math.floor(Date.now() / 1000 / DAY);
  }

  /** Say whether the browser sends Global Privacy Control. */
  function signals() {
    return "globalPrivacyControl" in navigator && navigator.globalPrivacyControl === true;
  }

  /** @param {string | undefined} text */
  function decoded(text) {
    try {
      return text === undefined ? null : decodeURIComponent(text);
    } catch {
      return null;
    }
  }

  // ---- what holds -----------------------------------------------------------------------------

  /**
   * Find out what holds now.
   * @param {Cause} cause
   */
  async function refresh(cause) {
    // What is being sent is waited for; then this is done.
    if (sending) return;
    const cookies = jar();
    const value = companionIn(cookies ?? "");
    const companion = read(value);
    const said = wordsOf(companion);
    const granted = optional.filter((id) => said.get(id) === "granted");
    // Two pages with different policies would write in turn for ever.
    keepMirror(companion, said, cause !== "other");
    const settled = optional.every((id) => said.has(id));
    const silent = companion === null && !policy.asks && policy.quiet && signals();
    if (own || cookies === null || settled || silent) {
      turn += 1;
      answered = "";
      hold(granted, said);
      if (!own) await clear(cookies === null ? SECTION : BANNER);
      return;
    }
    const circumstances = JSON.stringify([value, today(), signals()]);
    if (circumstances === answered) return;
    answered = circumstances;
    const mine = ++turn;
    // Until more is known, of what was allowed what is still granted.
    hold(granted.filter((id) => allowed.includes(id)), said, false);
    const told = companion === null && (cause === "sent" || (cause === "load" && (await asked())));
    if (mine !== turn) return;
    if (told) hold([], said);
    else await ask(companion, said);
  }

  /**
   * Ask the server what holds, and what there is to show.
   * @param {Companion | null} companion
   * @param {Said} said
   */
  async function ask(companion, said) {
    const mine = turn;
    const answer = await fetchSection({});
    if (mine !== turn) return;
    if (answer === null) {
      // The next occasion is another try.
      answered = "";
      hold([], said);
      return;
    }
    if (companion !== null || policy.asks) {
      keepMirror(companion, answer.said, true);
      hold(answer.allowed, answer.said);
    } else {
      hold([], said);
    }
    if (answer.section === null) await clear(BANNER);
    else await show(answer.section, () => mine === turn);
  }

  /**
   * Say whether the server made this page just now, and for a newcomer: with the banner.
   *
   * What the back button brings may be of another time. Where it made none, the visitor may have
   * chosen before there was a companion.
   */
  async function asked() {
    const [entry] =
      /** @type {PerformanceNavigationTiming[]} */
      (performance.getEntriesByType("navigation"));
    const fresh = entry?.type === "navigate" || entry?.type === "reload";
    if (!fresh || policy.asks || script?.dataset.rendered === undefined) return false;
    await parsed();
    return sections(BANNER).length > 0;
  }

  /**
   * Let this hold from now on, and tell of it if it is something else than before.
   * @param {string[]} ids what may be used of what is optional
   * @param {Said} said
   */
  function hold(ids, said, final = true) {
    const before = [JSON.stringify(allowed), JSON.stringify(choices)];
    allowed = known.filter((id) => policy.always.includes(id) || ids.includes(id));
    choices = inFull(said);
    const differs = before[0] !== JSON.stringify(allowed);
    // What was said before this page was opened is no news to it.
    if (differs || (decided && before[1] !== JSON.stringify(choices))) tell();
    if (final) {
      decided = true;
      settle();
    }
  }

  function tell() {
    const detail = Object.freeze({ choices, allowed: Object.freeze([...allowed]) });
    // What a listener throws is reported by the browser, and stops nobody else.
    for (const target of [changes, document]) {
      target.dispatchEvent(new CustomEvent("gate:change", { detail }));
    }
  }

  /**
   * Return the word on every category, also where nothing was said.
   * @param {Said} said
   */
  function inFull(said) {
    /** @type {(id: string) => import("./g.js").GateChoice} */
    const word = (id) => (policy.always.includes(id) ? "granted" : (said.get(id) ?? "unset"));
    return Object.freeze(Object.fromEntries(known.map((id) => [id, word(id)])));
  }

  /**
   * Make the mirror say what the companion says; without one there is no mirror.
   * @param {Companion | null} companion
   * @param {Said} said
   * @param {boolean} writes
   */
  function keepMirror(companion, said, writes) {
    try {
      if (companion === null) {
        localStorage.removeItem(policy.mirror);
        return;
      }
      /** @type {import("./g.js").GateMirror} */
      const mirror = {
        v: 1,
        version: policy.version,
        decided: new Date(companion.day * DAY * 1000).toISOString().slice(0, 10),
        choices: Object.fromEntries(said),
      };
      const text = JSON.stringify(mirror);
      if (writes && localStorage.getItem(policy.mirror) !== text) {
        localStorage.setItem(policy.mirror, text);
      }
    } catch {
      // Blocked or full: nothing here depends on it.
    }
  }

  // ---- what the server says -------------------------------------------------------------------

  /** Return the address of the gate's own pages, without a last slash. */
  function ownAddress() {
    const { origin } = location;
    const told = script?.dataset.base;
    if (told !== undefined || !script?.src) return origin + (told ?? policy.prefix);
    const here = new URL(".", script.src);
    // A copy on another host says nothing of where the gate is on this one.
    return here.origin === origin ? here.href.slice(0, -1) : origin + policy.prefix;
  }

  function thisPage() {
    return location.pathname + location.search;
  }

  /**
   * Fetch the banner, or with `open` all choices; null: there was no such answer.
   *
   * A request for a document is parsed without any script being able to run, also where Trusted
   * Types are required.
   * @param {Record<string, string>} more
   * @returns {Promise<Answer | null>}
   */
  async function fetchSection(more) {
    // What is shown already has the visitor's language; else it is the page's.
    const lang = sections()[0]?.lang || document.documentElement.lang;
    const query = new URLSearchParams({ lang, next: thisPage() });
    for (const [name, value] of Object.entries(more)) query.set(name, value);
    const request = new XMLHttpRequest();
    try {
      await new Promise((resolve) => {
        request.onloadend = resolve;
        request.open("GET", `${base}/banner?${query}`);
        request.responseType = "document";
        request.send();
      });
      return request.status === 200 ? answerIn(request.response) : null;
    } catch {
      return null;
    }
  }

  /**
   * Read an answer. Throws where it is none: another page, of a proxy say.
   * @param {Document} page
   */
  function answerIn(page) {
    // Its addresses are relative to where it came from: only the browser knows where that is.
    for (const name of ["action", "formaction", "href"]) {
      for (const one of page.querySelectorAll(`[${name}]`)) {
        one.setAttribute(name, new URL(one.getAttribute(name) ?? "", page.URL).href);
      }
    }
    const state = JSON.parse(page.documentElement.dataset.state ?? "");
    const section = page.querySelector(SECTION);
    /** @type {Answer} */
    const answer = {
      section: section instanceof HTMLElement ? document.importNode(section, true) : null,
      allowed: [...state.allowed],
      said: new Map(),
    };
    for (const id of optional) {
      const word = state.categories[id];
      if (word === "granted" || word === "denied") answer.said.set(id, word);
    }
    return answer;
  }

  // ---- what is shown --------------------------------------------------------------------------

  // What stands on the page may cover what has the focus: the style leaves this much room.
  const sizes = new ResizeObserver(() => {
    const heights = [0];
    for (const one of sections()) heights.push(one.offsetHeight);
    const { style } = document.documentElement;
    const height = Math.max(...heights);
    if (height > 0) style.setProperty("--gate-height", `${height}px`);
    else style.removeProperty("--gate-height");
  });

  /** @returns {NodeListOf<HTMLElement>} */
  function sections(selector = SECTION) {
    return document.querySelectorAll(selector);
  }

  /** Wait until the whole page is there, and with it what was rendered into it. */
  async function parsed() {
    if (document.readyState !== "loading") return;
    await new Promise((resolve) => {
      document.addEventListener("DOMContentLoaded", resolve, { once: true });
    });
  }

  /** Wait until the stylesheet is there, or cannot be had. */
  async function styled() {
    const [name, integrity] = policy.style;
    const href = `${base}/${name}`;
    if ([...document.querySelectorAll("link")].some((link) => link.href === href)) return;
    const link = document.createElement("link");
    await new Promise((resolve) => {
      link.onload = link.onerror = resolve;
      Object.assign(link, { rel: "stylesheet", integrity, href });
      (document.head ?? document.documentElement).append(link);
    });
  }

  /**
   * Show a banner, unless there is one. One that was rendered stays where it is.
   * @param {Element} section
   * @param {() => boolean} wanted
   */
  async function show(section, wanted) {
    await parsed();
    await styled();
    if (!wanted() || sending) return;
    if (sections(CHOICES).length > 0) behind ??= section;
    else if (sections().length === 0) place(section, null);
  }

  /**
   * Put a section in another's place, or at the beginning of the page.
   * @param {Element} section
   * @param {Element | null | undefined} instead
   */
  function place(section, instead) {
    if (instead) instead.replaceWith(section);
    else document.body?.prepend(section);
    sizes.observe(section);
  }

  /**
   * Take sections off the page, and the banner that waits behind the choices.
   * @param {string} selector
   */
  async function clear(selector) {
    const mine = turn;
    await parsed();
    if (mine !== turn) return;
    behind = null;
    for (const section of sections(selector)) {
      const held = section.contains(document.activeElement);
      section.remove();
      if (held) refocus();
    }
  }

  /** Focus what the choices were opened with, or where the page begins to speak. */
  function refocus() {
    const to = trigger?.isConnected ? trigger : null;
    trigger = null;
    if (to instanceof HTMLElement && focused(to)) return;
    const start = document.querySelector("h1") ?? document.querySelector("main");
    if (start === null || focused(start)) return;
    const restore = () => start.removeAttribute("tabindex");
    start.tabIndex = -1;
    start.addEventListener("blur", restore, { once: true });
    if (!focused(start)) restore();
  }

  /**
   * Focus an element, and say whether it could be.
   * @param {HTMLElement} element
   */
  function focused(element) {
    element.focus({ preventScroll: true });
    return document.activeElement === element;
  }

  // ---- what the visitor does ------------------------------------------------------------------

  /**
   * Show all choices, in the banner's place if there is one.
   * @param {Element | null} from what leads to them, and what closing them leads back to
   */
  async function open(from) {
    if (sending || opening) return;
    opening = true;
    await parsed();
    if (sections(CHOICES).length === 0) await openAnew(from);
    opening = false;
    const heading = document.querySelector(`${CHOICES} h2`);
    if (heading instanceof HTMLElement) heading.focus();
  }

  /** @param {Element | null} from */
  async function openAnew(from) {
    const answer = own ? null : await fetchSection({ open: "1" });
    // A choice was made in the banner meanwhile.
    if (sending || !opening) return;
    if (answer === null || answer.section === null) {
      location.assign(`${base}/?${new URLSearchParams({ next: thisPage() })}`);
      return;
    }
    await styled();
    if (sending || !opening) return;
    const banner = sections()[0] ?? null;
    trigger = from === document.body ? null : from;
    behind = banner;
    place(answer.section, banner);
  }

  /**
   * Close the choices: what was there before is there again.
   * @param {Element} panel
   */
  function close(panel) {
    if (behind) place(behind, panel);
    else panel.remove();
    behind = null;
    refocus();
  }

  /**
   * Send a choice.
   * @param {Element} section
   * @param {HTMLFormElement} form
   * @param {HTMLButtonElement} button
   */
  async function send(section, form, button) {
    const mine = ++press;
    sending = true;
    opening = false;
    section.setAttribute("aria-busy", "true");
    const done = await post(form, button.value);
    // The page was left, and what becomes of this is seen when it is shown again.
    if (mine !== press) return;
    rest();
    if (!done) {
      submit(form, button);
      return;
    }
    answered = "";
    turn += 1;
    await clear(SECTION);
    // In Safari the mouse focuses no button.
    if (document.activeElement === document.body) refocus();
    // Who took a choice back is asked anew. Where else no choice is there, cookies are blocked.
    await refresh(button.value === "withdraw" ? "again" : "sent");
  }

  /** Be ready for another press. */
  function rest() {
    sending = false;
    for (const section of sections()) section.removeAttribute("aria-busy");
  }

  /**
   * Say whether the server has taken a choice.
   * @param {HTMLFormElement} form
   * @param {string} action
   */
  async function post(form, action) {
    try {
      const fields = new FormData(form);
      const body = JSON.stringify({
        action,
        grant: fields.getAll("grant"),
        leave: fields.getAll("leave"),
        object: fields.getAll("object"),
        over_gpc: fields.get("over_gpc") === "1",
      });
      // The property `action` would be the button of that name.
      const url = new URL(form.getAttribute("action") ?? "", location.href);
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        credentials: "same-origin",
        // What sends elsewhere, to a login say, has not taken it.
        redirect: "error",
        // It arrives also where the page is left at once.
        keepalive: true,
      });
      return response.status === 200;
    } catch {
      return false;
    }
  }

  /**
   * Submit a form as if there were no script.
   * @param {HTMLFormElement} form
   * @param {HTMLButtonElement} button
   */
  function submit(form, button) {
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name: button.name, value: button.value });
    form.append(field);
    form.submit();
    // The page is still there if the answer is none, or when it is gone back to.
    field.remove();
  }

  /**
   * Take over what one of our forms sends.
   * @param {SubmitEvent} event
   */
  function onSubmit(event) {
    const { target: form, submitter: button } = event;
    if (!(form instanceof HTMLFormElement) || !(button instanceof HTMLButtonElement)) return;
    const section = form.closest(SECTION);
    const chooses = button.name === "action";
    if (!section || !(chooses || button.formMethod === "get")) return;
    event.preventDefault();
    // The page's own listeners, which may send every form in their way, are not meant.
    event.stopPropagation();
    if (sending) return;
    if (chooses) void send(section, form, button);
    else void open(button);
  }

  /**
   * Close the choices by Escape, or by the button that is there for it.
   * @param {Event} event
   */
  function onLeave(event) {
    const { target } = event;
    if (sending || !(target instanceof Element)) return;
    const panel = target.closest(CHOICES);
    const leaves =
      event instanceof KeyboardEvent ? event.key === "Escape" : target.closest("[data-gate-close]");
    if (!panel || !leaves) return;
    event.stopPropagation();
    close(panel);
  }

  // ---- the beginning --------------------------------------------------------------------------

  /** Listen before the page's own listeners do, and look again whenever something may differ. */
  function listen() {
    window.addEventListener("pagehide", () => {
      press += 1;
    });
    window.addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      rest();
      void refresh("again");
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void refresh("again");
    });
    window.addEventListener("storage", (event) => {
      if (event.key === policy.mirror || event.key === null) void refresh("other");
    });
    if (own) return;
    document.addEventListener("submit", onSubmit, true);
    document.addEventListener("click", onLeave, true);
    document.addEventListener("keydown", onLeave, true);
  }

  // An element of that id would be found here as well; a second copy of the script does nothing.
  if (typeof window.gate?.onChange === "function") return;
  /** @type {import("./g.js").Gate} */
  const gate = {
    has: (category) => allowed.includes(category),
    get choices() {
      return choices;
    },
    onChange(listener) {
      /** @param {Event} event */
      const call = (event) => {
        if (event instanceof CustomEvent) listener(event.detail);
      };
      changes.addEventListener("gate:change", call);
      return () => changes.removeEventListener("gate:change", call);
    },
    open: () => open(document.activeElement),
    ready,
  };
  window.gate = Object.freeze(gate);
  listen();
  void refresh("load");
  void parsed().then(() => {
    for (const section of sections()) sizes.observe(section);
  });
})(GATE_POLICY);
