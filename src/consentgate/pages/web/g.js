/**
 * The visible half of the gate: shows what there is to choose, sends the choice, and tells the
 * page's own code what may be used.
 *
 * Rule 1. The companion decides, never the mirror. Where there is no companion, nothing optional is
 *         used, and the mirror goes.
 * Rule 2. In doubt nothing optional: a companion that cannot be read, is too old, from the future
 *         or there twice; an answer that does not come; cookies that are blocked; a page that is
 *         not there in full, or not shown yet.
 * Rule 3. The server is asked only what the companion cannot say, and once: who has chosen costs no
 *         request, and no answer can start a loop. What it said of another companion is void.
 * Rule 4. A choice is sent once. What cannot be sent by script is sent as the form it is. A no
 *         holds when it is pressed and arrives although the page is left; a yes holds when the
 *         server has taken it, and one that was left behind is lost.
 * Rule 5. Focus is not taken by what appears, and not lost by what goes.
 * Rule 6. Nothing is thrown into the page: storage, cookies and network may each be refused.
 * Rule 7. What the page's own Content-Security-Policy keeps out cannot be used on this page, whatever
 *         was said since: it is used on the next, or the page is opened anew for it.
 * Rule 8. HTML comes from the server, parsed by the browser; no text is made into HTML here.
 *
 * What is sent is made of this by `make scripts`. The server writes its constant in place of the
 * argument in the last line.
 */
/**
 * @typedef {object} Policy What the server knows of every visitor alike.
 * @property {string} name of the companion
 * @property {string} mirror the key of the mirror in localStorage
 * @property {string} version
 * @property {number} accepted for how many seconds a yes is valid
 * @property {number} refused for how many seconds a no is not asked about again
 * @property {boolean} asks whether only the server knows what the absence of a choice means
 * @property {boolean} quiet whether who sends Global Privacy Control is not asked at all
 * @property {string[]} signals what of the browser says that it sends Global Privacy Control
 * @property {string[]} keys what tells the keys that the gate can read a choice with
 * @property {string[]} always the categories that need no consent
 * @property {Record<string, string[]>} categories all others, each with the revisions that count
 * @property {string[]} sold what Global Privacy Control is about
 * @property {string[]} free what no page's Content-Security-Policy keeps out
 * @property {[string, string]} style name and integrity of the stylesheet
 * @property {[string, string]} tags the same of the script that starts what is held back
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
 * @property {Element | null} section what is to be shown
 * @property {string[]} allowed
 * @property {Said} said
 */
/** @typedef {"load" | "again" | "sent" | "void"} Cause */

/** @type {(policy: Policy) => void} */
((policy) => {
  /* companion.js */

  // What stands in the place of an embed is not one of them, see t.js.
  const SECTION = "[data-gate]:not([data-gate=embed])";
  const HELD = ":is(script[type='text/plain'],iframe[data-src])[data-category]";
  const BANNER = "[data-gate=banner]";
  const CHOICES = "[data-gate=choices]";
  const CHANGE = "gate:change";

  // An image of that name would stand in the property's place.
  const script =
    document.currentScript instanceof HTMLScriptElement ? document.currentScript : null;
  const base = ownAddress();
  // A page of the gate itself: it shows the choices in its own way.
  const own = script?.dataset.quiet !== undefined;

  /** @type {string[]} */
  let allowed = policy.always;
  /** @type {Said} */
  let words = new Map();
  let choices = inFull(words);
  let decided = false;
  // Whether the whole page is there, and shown.
  let begun = false;
  // Whether the server made this page for this very visitor, and just now.
  let rendered = false;
  // Whether nothing is used on this page without a yes, whatever the law.
  let strict = false;
  /** @type {string | null} the readable cookies, when they were last looked at */
  let seen = null;
  // The companion that decided what holds.
  let used = "";
  // What no press has refused since the companion became what it is.
  let kept = optional;
  // What the page's own policy lets in: what was allowed when it was made.
  let admitted = optional;
  /** @type {string[]} what may be used and is kept out by it */
  let late = [];
  // Whether the visitor has typed something, or may have: what is done in a frame is not seen here.
  let typed = false;
  // Whether the visitor has been elsewhere since this page was last looked at.
  let away = document.hidden;
  // The circumstances under which the server has said, or is being asked, what holds.
  let answered = "";
  // Counts what was asked and what was sent, so that no late answer undoes a newer one.
  let turn = 0;
  let press = 0;
  let sending = false;
  /** @type {AbortController | undefined} what calls back the yes that is being sent */
  let recall;
  let opening = false;
  // Whether a form is being sent as if there were no script.
  let native = false;
  /** @type {Element | null} what the choices were opened with */
  let trigger = null;
  /** @type {Element | null} the banner in whose place they are */
  let behind = null;
  /** @type {(known?: any) => void} */
  let settle = () => {};
  /** @type {Promise<void>} first.js alone is told whether anything is known */
  const ready = new Promise((resolve) => {
    settle = resolve;
  });

  // ---- what holds -----------------------------------------------------------------------------

  /**
   * Return all readable cookies; null: they are blocked.
   *
   * Chromium says that cookies are enabled where all of them are blocked: it keeps none, and its
   * storage throws. Where only storage is switched off it is there and null, or just not there.
   * Over plain http no browser keeps what is called `__Host-`.
   */
  function jar() {
    try {
      const { cookie } = document;
      const open =
        navigator.cookieEnabled &&
        (isSecureContext || !policy.name.startsWith("__Host-")) &&
        (cookie || window.localStorage !== undefined);
      // An element of that name would stand in its place.
      return open && typeof cookie === "string" ? cookie : null;
    } catch {
      // a sandboxed frame
      return null;
    }
  }

  /**
   * Find out what holds now, whatever the page has done to what is needed for that.
   * @param {Cause} cause
   */
  function look(cause) {
    refresh(cause).catch(fail);
  }

  function fail() {
    allowed = policy.always;
    settle();
  }

  /** Look again if the companion is another one, or gone: another page may have seen to that. */
  function notice() {
    const cookies = jar();
    if (cookies === seen) return;
    seen = cookies;
    if (companionIn(cookies) !== used) look("again");
  }

  /** @param {Cause} cause */
  async function refresh(cause) {
    if (!begun) return;
    const cookies = (seen = jar());
    const value = companionIn(cookies);
    const differs = value !== used;
    used = value;
    const companion = read(value);
    const said = wordsOf(companion);
    const granted = optional.filter((id) => said.get(id) === "granted");
    // Until more is known: of what was allowed, what is still granted.
    const both = granted.filter((id) => allowed.includes(id));
    // What is being sent is waited for; then this is done.
    if (sending) {
      if (differs) hold(both, words, false);
      return;
    }
    if (differs) kept = optional;
    keepMirror(companion, said);
    const settled = optional.every((id) => said.has(id));
    // Where an absent choice means what the server says.
    const asks = policy.asks && !strict;
    const newcomer = companion === null;
    const silent = newcomer && !policy.asks && !strict && policy.quiet && signals();
    if (own || cookies === null || settled || silent) {
      turn += 1;
      answered = "";
      hold(granted, said);
      if (!own) clear(cookies === null ? SECTION : BANNER);
      return;
    }
    const circumstances = value + today() + signals();
    const same = circumstances === answered;
    // A choice that left no companion may have been taken back elsewhere.
    if (same && !(asks && newcomer && cause === "again")) return;
    turn += 1;
    answered = circumstances;
    // The page as it was made says it, or the browser has kept no choice: it would not the next.
    const made = cause === "load" && rendered && (strict || (newcomer && !asks));
    if (made || (newcomer && cause === "sent")) {
      hold(granted, said);
      return;
    }
    if (!same) hold(both, said, false);
    await ask(value, companion, said, cause);
  }

  /**
   * Ask the server what holds, and what there is to show.
   * @param {string} value
   * @param {Companion | null} companion
   * @param {Said} said
   * @param {Cause} cause
   */
  async function ask(value, companion, said, cause) {
    const mine = turn;
    const answer = await fetchSection("");
    if (mine !== turn) return;
    const now = companionIn(jar());
    const late = now !== value;
    if (late && cause !== "void") {
      await refresh("void");
      return;
    }
    used = now;
    if (late || answer === null) {
      settle();
      // The next occasion is another try.
      answered = "";
      hold([], said);
      return;
    }
    if (companion !== null || policy.asks) {
      keepMirror(companion, answer.said);
      hold(answer.allowed.filter((id) => !strict || said.get(id) === "granted"), answer.said);
    } else {
      hold([], said);
    }
    if (answer.section !== null) await show(answer.section);
    else if (!strict) clear(BANNER);
  }

  /**
   * Let this hold from now on, and tell of it if it is something else than before.
   * @param {string[]} ids what may be used of what is optional
   * @param {Said} said
   */
  function hold(ids, said, final = true) {
    // What was said before this page was opened is no news to it.
    const state = () => JSON.stringify([allowed, decided && choices]);
    const before = state();
    // What no press has refused, nor the site for this page.
    /** @param {string} id */
    const without = (id) => first(`script[data-without~="${id}"]`);
    const may = optional.filter((id) => ids.includes(id) && kept.includes(id) && !without(id));
    if (final && !decided) {
      const said = first("script[data-admits]")?.dataset.admits;
      // Where the server has not said it, the page is taken for one that was made just now.
      admitted = policy.free.concat(said?.split(" ") ?? may);
    }
    late = may.filter((id) => !admitted.includes(id));
    allowed = policy.always.concat(may.filter((id) => !late.includes(id)));
    words = said;
    choices = inFull(said);
    if (state() !== before) {
      const detail = Object.freeze({ choices, allowed: [...allowed] });
      // What a listener throws is reported by the browser, and stops nobody else.
      document.dispatchEvent(new CustomEvent(CHANGE, { detail }));
    }
    if (final) {
      decided = true;
      settle(true);
    }
  }

  /**
   * Say whether the page may be asked for again: nothing was sent to get it, and nothing was typed
   * on it, which Chromium would forget.
   */
  function opensAnew() {
    return !typed && first("script[data-anew]");
  }

  /**
   * Return the word on every category, also where nothing was said.
   * @param {Said} said
   */
  function inFull(said) {
    /** @type {(id: string) => import("./g.js").GateChoice} */
    const word = (id) => (policy.always.includes(id) ? "granted" : (said.get(id) ?? "unset"));
    const ids = [...policy.always, ...optional];
    return Object.freeze(Object.fromEntries(ids.map((id) => [id, word(id)])));
  }

  /**
   * Make the mirror say what the companion says; without one there is no mirror.
   * @param {Companion | null} companion
   * @param {Said} said
   */
  function keepMirror(companion, said) {
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
      // What it says already is not written again (HTML 12.2.1, setItem).
      localStorage.setItem(policy.mirror, JSON.stringify(mirror));
    } catch {
      // Blocked or full: nothing here depends on it.
    }
  }

  // ---- what the server says -------------------------------------------------------------------

  /** Return the address of the gate's own pages, without a last slash. */
  function ownAddress() {
    const { origin } = location;
    const from = script?.src ?? "";
    // A copy on another host says nothing of where the gate is on this one.
    const near = from.startsWith(`${origin}/`);
    const path = near ? new URL(".", from).pathname.slice(0, -1) : policy.prefix;
    return origin + (script?.dataset.base ?? path);
  }

  /** @param {string} open */
  function query(open) {
    // What is shown already has the visitor's language; else it is the page's.
    const lang = first()?.lang || document.documentElement.lang;
    return new URLSearchParams({ lang, next: location.pathname + location.search, open });
  }

  /**
   * Fetch the banner, or with `open` all choices; null: there was no such answer.
   *
   * A request for a document is parsed without any script being able to run, also where Trusted
   * Types are required.
   * @param {string} open
   * @returns {Promise<Answer | null>}
   */
  async function fetchSection(open) {
    const request = new XMLHttpRequest();
    try {
      await new Promise((resolve) => {
        request.onloadend = resolve;
        request.open("GET", `${base}/banner?${query(open)}`);
        request.responseType = "document";
        request.send();
      });
      /** @type {Document} */
      const page = request.response;
      // Its addresses are relative to where it came from: only the browser knows where that is.
      for (const name of ["action", "href"]) {
        for (const one of page.querySelectorAll(`[${name}]`)) {
          one.setAttribute(name, new URL(one.getAttribute(name) ?? "", page.URL).href);
        }
      }
      const section = page.querySelector(SECTION);
      // Another page, of a proxy say, or of an error, has no state on it.
      const state = JSON.parse(page.documentElement.dataset.state ?? "");
      /** @type {Said} */
      const said = new Map();
      for (const id of optional) {
        const word = state.categories[id];
        if (word === "granted" || word === "denied") said.set(id, word);
      }
      const shown = section && document.importNode(section, true);
      return request.status === 200 ? { section: shown, allowed: [...state.allowed], said } : null;
    } catch {
      return null;
    }
  }

  // ---- what is shown --------------------------------------------------------------------------

  // What stands on the page may cover what has the focus: the style leaves this much room.
  const sizes = new ResizeObserver(() => {
    const height = first()?.offsetHeight;
    document.documentElement.style.setProperty("--gate-height", height ? `${height}px` : "");
  });

  /** @type {(selector?: any) => HTMLElement[]} */
  function all(selector = SECTION) {
    return [...document.querySelectorAll(selector)];
  }

  /** @returns {HTMLElement | null} */
  function first(selector = SECTION) {
    return document.querySelector(selector);
  }

  /** Wait until the whole page is there, and with it what was rendered into it. */
  async function parsed() {
    // Also where loading is stopped.
    if (document.readyState === "loading") await told("readystatechange");
  }

  /**
   * Wait until the document tells of something.
   * @param {string} name
   */
  function told(name) {
    return new Promise((resolve) => document.addEventListener(name, resolve, { once: true }));
  }

  /**
   * Put an element with these properties into the head of the page.
   * @param {HTMLElement} element
   * @param {object} properties
   */
  function add(element, properties) {
    document.head.append(Object.assign(element, properties));
  }

  /** Wait until the stylesheet is there, or cannot be had. */
  async function styled() {
    if (first("[data-gate-style]")) return;
    const [name, integrity] = policy.style;
    const link = document.createElement("link");
    link.dataset.gateStyle = "";
    await new Promise((resolve) => {
      link.onload = link.onerror = resolve;
      add(link, { rel: "stylesheet", integrity, href: `${base}/${name}` });
    });
  }

  /**
   * Show a banner, unless there is one. One that was rendered stays where it is.
   * @param {Element} section
   */
  async function show(section) {
    const mine = turn;
    await styled();
    if (mine !== turn || sending) return;
    if (first(CHOICES)) behind ??= section;
    else if (!first()) place(section, null);
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
  function clear(selector) {
    behind = null;
    for (const section of all(selector)) {
      const held = section.contains(document.activeElement);
      section.remove();
      if (held) refocus();
    }
  }

  /** Focus what the choices were opened with, or where the page begins to speak. */
  function refocus() {
    const to = trigger;
    trigger = null;
    if (to instanceof HTMLElement && focused(to)) return;
    const start = first("h1") ?? first("main");
    if (!start || focused(start)) return;
    start.tabIndex = -1;
    focused(start);
    start.addEventListener("blur", () => start.removeAttribute("tabindex"), { once: true });
  }

  /**
   * Focus an element, and say whether it could be.
   * @param {HTMLElement} element
   */
  function focused(element) {
    element.focus({ preventScroll: true });
    return document.activeElement === element;
  }

  /** Load what starts what is held back, once the page has something of the kind. */
  function loadTags() {
    if (!first(HELD)) return;
    grown.disconnect();
    if (first(`script[src$="${policy.prefix}/t.js"]`)) return;
    const [name, integrity] = policy.tags;
    try {
      const src = `${base}/${name}`;
      add(document.createElement("script"), { integrity, nonce: script?.nonce, src });
    } catch {
      // Where Trusted Types are required, the page must have the line for it itself.
    }
  }
  const grown = new MutationObserver(loadTags);

  // ---- what the visitor does ------------------------------------------------------------------

  /**
   * Show all choices, in the banner's place if there is one.
   * @param {Element | null} from what leads to them, and what closing them leads back to
   */
  async function open(from) {
    if (sending || opening) return;
    opening = true;
    await parsed();
    if (!first(CHOICES)) await openAnew(from);
    opening = false;
    first(`${CHOICES} h2`)?.focus();
  }

  /** @param {Element | null} from */
  async function openAnew(from) {
    const section = own ? null : (await fetchSection("1"))?.section;
    if (section) await styled();
    // A choice was made in the banner meanwhile.
    if (sending || !opening) return;
    if (!section) {
      location.assign(`${base}/?${query("")}`);
      return;
    }
    const banner = first();
    trigger = from === document.body ? null : from;
    behind = banner;
    place(section, banner);
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
      native = true;
      form.requestSubmit(button);
      native = false;
      return;
    }
    answered = "";
    turn += 1;
    clear(SECTION);
    // In Safari the mouse focuses no button.
    if (document.activeElement === document.body) refocus();
    // Who took a choice back is asked anew. Where else no choice is there, cookies are blocked.
    await refresh(button.value === "withdraw" ? "again" : "sent").catch(fail);
    const waits = all(HELD).some((one) => late.includes(one.dataset.category ?? ""));
    if (waits && opensAnew()) location.reload();
  }

  /** Be ready for another press. */
  function rest() {
    sending = false;
    for (const section of all()) section.removeAttribute("aria-busy");
  }

  /**
   * Say whether the server has taken a choice.
   * @param {HTMLFormElement} form
   * @param {string} action
   */
  async function post(form, action) {
    try {
      const fields = new FormData(form);
      /** @param {string} name */
      const ticked = (name) => (action === "save" ? fields.getAll(name).map(String) : []);
      const wish = {
        action,
        grant: ticked("grant"),
        leave: ticked("leave").filter((id) => !ticked("object").includes(id)),
        over_gpc: fields.has("over_gpc"),
      };
      const accepts = action === "accept";
      kept = accepts ? optional : [...wish.grant, ...wish.leave];
      hold(allowed, words, false);
      recall = accepts || wish.grant.length > 0 ? new AbortController() : undefined;
      const response = await fetch(`${base}/choice`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wish),
        // What sends elsewhere, to a login say, has not taken it.
        redirect: "error",
        // A no arrives also where the page is left at once. A yes that came late could undo what
        // was said on the next page.
        keepalive: !recall,
        signal: recall?.signal ?? null,
      });
      return response.ok;
    } catch {
      return false;
    }
  }

  /**
   * Take over what one of our forms sends.
   * @param {SubmitEvent} event
   */
  function onSubmit(event) {
    const { submitter: button } = event;
    if (!(button instanceof HTMLButtonElement)) return;
    const { form } = button;
    const section = form?.closest("[data-gate]");
    const chooses = button.name === "action";
    if (!form || !section || !(chooses || button.formMethod === "get")) return;
    // The page's own listeners, which may send every form in their way, are not meant.
    event.stopPropagation();
    // What was asked for, and this page's policy keeps out, the next page shows. Where the server has
    // not said what the page is, that is the same page again.
    const shown = `${new FormData(form).get("grant")}`;
    const held = section.matches("[data-gate=embed]") && !admitted.includes(shown);
    const unsaid = !typed && !first("script[data-anew],script[data-admits]");
    if (native || (held && unsaid)) return;
    event.preventDefault();
    if (sending) return;
    if (chooses) void send(section, form, button);
    else void open(button);
  }

  /**
   * Close the choices by Escape, or by the button that is there for it: what was there before is
   * there again.
   * @param {Event} event
   */
  function onLeave(event) {
    const { target } = event;
    if (sending || !(target instanceof Element)) return;
    const panel = target.closest(CHOICES);
    const leaves =
      "key" in event ? event.key === "Escape" : target.closest("[data-gate-close]");
    if (!panel || !leaves) return;
    event.stopPropagation();
    if (behind) place(behind, panel);
    else panel.remove();
    behind = null;
    refocus();
  }

  // ---- the beginning --------------------------------------------------------------------------

  /** Decide as soon as the page is there in full, with all that it tells, and shown. */
  async function begin() {
    await parsed();
    // Who is typing already began before this script was there.
    const { value, defaultValue } =
      /** @type {HTMLInputElement} */
      (document.activeElement ?? {});
    typed ||= value !== defaultValue;
    for (const section of all()) sizes.observe(section);
    if (!own) {
      grown.observe(document, { childList: true, subtree: true });
      loadTags();
    }
    // An element of that name is not true.
    const { prerendering } =
      /** @type {Document & { prerendering?: boolean }} */
      (document);
    const early = prerendering === true;
    if (early) await told("prerenderingchange");
    const [entry] =
      /** @type {PerformanceNavigationTiming[]} */
      (performance.getEntriesByType("navigation"));
    // With the back button comes what was typed before the page was left.
    const again = entry?.type === "back_forward";
    typed ||= again;
    // What it brings, or was made in advance, may be of another time.
    rendered = !early && !again && !!first("script[data-rendered]");
    strict = !!first("script[data-strict]");
    begun = true;
    await refresh("load");
  }

  // An element of that id would be found here as well; a second copy of the script does nothing.
  if (window.gate?.onChange) return;
  /** @type {import("./g.js").Gate} */
  const gate = {
    has(category) {
      notice();
      return allowed.includes(category);
    },
    get choices() {
      notice();
      return choices;
    },
    onChange(listener) {
      /** @param {CustomEvent<import("./g.js").GateState>} event */
      const call = (event) => listener(event.detail);
      document.addEventListener(CHANGE, call);
      return () => document.removeEventListener(CHANGE, call);
    },
    open: () => open(document.activeElement),
    ready,
  };
  window.gate = Object.freeze(gate);
  begin().catch(fail);

  // Whichever is told first of the page that is looked at again: it is looked into once.
  const back = () => {
    if (!document.hidden && away) look("again");
    away = document.hidden;
  };
  addEventListener("pagehide", () => {
    away = true;
    press += 1;
    recall?.abort();
    rest();
  });
  addEventListener("pageshow", back);
  document.addEventListener("visibilitychange", back);
  addEventListener("storage", notice);
  window.cookieStore?.addEventListener("change", notice);
  if (own) return;
  // Before the page's own listeners.
  document.addEventListener("submit", onSubmit, true);
  document.addEventListener("input", ({ target, isTrusted }) => {
    typed ||= isTrusted && target instanceof Element && !target.closest("[data-gate]");
  }, true);
  // Who has left this document for another window has not the focus; who is in a frame of it has.
  addEventListener("blur", () => setTimeout(() => (typed ||= document.hasFocus())));
  document.addEventListener("click", onLeave, true);
  document.addEventListener("keydown", onLeave, true);
})(GATE_POLICY);
