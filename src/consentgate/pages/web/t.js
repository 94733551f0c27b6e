/**
 * What is held back until its category may be used: third parties' scripts, and their frames.
 *
 *     <script type="text/plain" data-category="marketing" src="…"></script>
 *     <iframe data-category="marketing" data-src="…" title="…"></iframe>
 *
 * Rule 1. What may be used, g.js says; it is asked again right before each single start.
 * Rule 2. A script is not copied but taken out and put in again, with another type: it keeps its
 *         nonce, no text becomes code here (so Trusted Types have nothing to refuse), and what no
 *         browser would run (HTML 4.12.1.1, "already started": what came by innerHTML) is not run.
 * Rule 3. Scripts start in the order of the document, each once. One with an address is waited for,
 *         unless it is `async`; one that does not answer holds up the others for ten seconds.
 * Rule 4. A frame gets, and loses, its address while it is out of the page, so that going back in
 *         the history does not load it again.
 * Rule 5. A script that has started cannot be stopped. After a withdrawal none starts.
 *
 * g.js loads this where the page has something of the kind (where Trusted Types are required, a line
 * of the page does); the gate's own pages are where this file is.
 */
(async () => {
  const { src, nonce } =
    /** @type {HTMLScriptElement} */
    (document.currentScript);
  const gate =
    /** @type {import("./g.js").Gate} */
    (window.gate);
  // Scripts that were started, and frames that have their address.
  const begun = new WeakSet();
  let running = false;

  /** @type {(selector: any) => HTMLElement[]} */
  const all = (selector) => [...document.querySelectorAll(selector)];

  /** @type {(one: HTMLElement) => boolean} */
  const allowed = (one) => gate.has(one.dataset.category ?? "");

  /**
   * Set an element's attribute while it is out of the page.
   * @param {HTMLElement} element
   * @param {string} name
   * @param {string} value
   */
  function change(element, name, value) {
    const mark = new Comment();
    element.replaceWith(mark);
    element.setAttribute(name, value);
    mark.replaceWith(element);
  }

  /** Start the scripts that may start, one after the other. */
  async function run() {
    if (running) return;
    running = true;
    for (;;) {
      // Where the page's policy goes by a nonce, markup that does not have it is not the page's.
      const script = all('script[type="text/plain"][data-category]').find(
        (one) => !begun.has(one) && (!nonce || one.nonce === nonce) && allowed(one),
      );
      if (!script) break;
      begun.add(script);
      const ended = new Promise((resolve) => {
        script.addEventListener("load", resolve);
        script.addEventListener("error", resolve);
        setTimeout(resolve, script.matches("[src]:not([async])") ? 1e4 : 0);
      });
      change(script, "type", script.dataset.type ?? "");
      await ended;
    }
    running = false;
  }

  /**
   * Show a frame, or what stands in its place.
   * @param {HTMLElement} frame
   * @param {boolean} shown
   */
  function settle(frame, shown) {
    const { category = "", src: address = "" } = frame.dataset;
    // It reads every address as a page does, also one that is none.
    const { href, host } = Object.assign(document.createElement("a"), { href: address });
    const place = frame.previousElementSibling?.closest("[data-gate=embed]");
    // The server has written it out where it was allowed from the start.
    if (frame.getAttribute("src") === address) begun.add(frame);
    // Some addresses are code.
    if (shown !== begun.has(frame) && href.startsWith("http")) {
      begun[shown ? "add" : "delete"](frame);
      change(frame, "src", shown ? address : "");
    }
    frame.hidden = !shown;
    if (shown) {
      if (place?.contains(document.activeElement)) frame.focus();
      place?.remove();
    } else if (place) {
      place.querySelector("[data-gate-once]")?.removeAttribute("hidden");
    } else {
      const empty = document.createElement("div");
      empty.dataset.gate = "embed";
      frame.before(empty);
      const query = new URLSearchParams({
        category,
        source: host,
        lang: document.documentElement.lang,
        next: location.pathname + location.search,
      });
      const request = new XMLHttpRequest();
      request.onload = () => fill(empty, request.response);
      request.open("GET", new URL(`embed?${query}`, src));
      // The browser parses it, and no script in it could run.
      request.responseType = "document";
      request.send();
    }
  }

  /**
   * Put in what the server says; not where the frame is shown meanwhile, and this is gone.
   * @param {Element} empty
   * @param {Document | null} page
   */
  function fill(empty, page) {
    const place = page?.querySelector("[data-gate]");
    if (!place) return;
    // Addresses are relative to where they came from: only the browser knows where that is.
    const links =
      /** @type {NodeListOf<HTMLLinkElement>} */
      (place.querySelectorAll("a, link"));
    for (const link of links) link.href = link.href;
    place.querySelector("form")?.setAttribute("action", new URL("choice", src).href);
    empty.replaceWith(place);
  }

  /** Give those frames their page that Firefox gave, when a page was loaded again, what they had. */
  function repair() {
    for (const frame of all("iframe[data-category][src]:not([hidden])")) {
      const { contentDocument, src: address } =
        /** @type {HTMLIFrameElement} */
        (frame);
      if (contentDocument?.URL === "about:blank") change(frame, "src", address);
    }
  }

  function look() {
    run();
    for (const frame of all("iframe[data-category][data-src]")) settle(frame, allowed(frame));
  }

  // It waits for this script.
  addEventListener("load", repair);
  await gate.ready;
  document.addEventListener("click", ({ target }) => {
    const button = target instanceof Element && target.closest("[data-gate-once]");
    const frame =
      /** @type {HTMLElement | undefined} */
      (button && button.closest("[data-gate]")?.nextElementSibling);
    if (!frame) return;
    settle(frame, true);
    // Nothing more is asked about it until the page is left.
    delete frame.dataset.category;
  });
  new MutationObserver(look).observe(document, { childList: true, subtree: true });
  gate.onChange(look);
  look();
})();
