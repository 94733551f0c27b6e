/**
 * What runs before every other script of a page: it knows what may be used, and sees to it.
 *
 * Rule 1. What the server wrote into the page holds, then what the page is told; on a page that may
 *         be of another time, from a cache or by the back button, only what the companion says too.
 * Rule 2. In doubt nothing optional is stored. In doubt nothing is removed.
 * Rule 3. Less may be found out here. That more may be used, only g.js tells, and where a yes is
 *         needed, the companion must carry it: anybody can make an event.
 * Rule 4. Nothing is thrown into the page, and nothing necessary is touched.
 *
 * The chunks whose names stand in lines of their own are put in by `make scripts`, in each way in which
 * a policy can need them. The server writes its constant in place of the argument in the last line.
 * To the chunks `policy` and `may` are known, and what they are told by `clean` and `news`.
 */
/** @typedef {import("./g.js").Gate} Gate what g.js declares beside it is known here as well */
/** @typedef {"cookie" | "local" | "session" | "idb" | "cache"} Kind */
/** @typedef {"allow" | "report" | "block"} Treatment */
/**
 * @typedef {object} Policy What the server knows of every visitor alike.
 * @property {string} name of the companion
 * @property {string} mirror the key of the mirror in localStorage
 * @property {number} accepted for how many seconds a yes is valid
 * @property {number} refused for how many seconds a no is not asked about again
 * @property {boolean} asks whether only the server knows what the absence of a choice means
 * @property {string[]} signals what of the browser says that it sends Global Privacy Control
 * @property {string[]} keys what tells the keys that the gate can read a choice with
 * @property {string[]} always the categories that need no consent
 * @property {Record<string, string[]>} categories all others, each with the revisions that count
 * @property {string[]} sold what Global Privacy Control is about
 * @property {"block" | "report"} guard
 * @property {boolean} report whether the whole gate only reports
 * @property {Treatment} unknown what becomes of what is stored under names that no rule has
 * @property {"block" | "allow"} unknownCookies the same of cookies
 * @property {Partial<Record<Kind, string[]>>} own the names under which the gate itself stores something
 * @property {string} site the host above which no cookie is the site's; "": that is not said
 * @property {Record<Kind, Record<string, string[]>[]>} rules names and patterns by their category, in
 *   ranks: of what fits a name, the first counts
 * @property {Record<string, string>} modes by Google's signals the category that each goes by
 */
/**
 * @typedef {object} Companion A choice as the readable cookie carries it.
 * @property {number} day in whole days since 1970
 * @property {boolean} over whether it was given over Global Privacy Control
 * @property {Map<string, string>} given by category: the revision of a yes, "" for a no
 */
/** @typedef {Map<string, "granted" | "denied">} Said in the policy's order; the rest is unsaid */

/** @type {(policy: Policy) => void} */
((policy) => {
  /* companion.js */

  /** @type {string[]} what may be used of what is optional */
  let allowed = [];
  /** @type {string[]} of the others those of which only the server knows whether they may */
  let unsure = [];
  // The companion that was looked at last.
  let used = "";
  // Takes away what may not be there, and tells of what may be used: the chunks that know how put
  // themselves in the place of these.
  let clean = () => {};
  let news = () => {};

  /**
   * Return the readable cookies, without finding out why there are none as g.js does: that asks for
   * storage, and no page is to wait for the disk here.
   */
  function cookies() {
    try {
      // An element of that name would stand in its place.
      return `${document.cookie}`;
    } catch {
      return "";
    }
  }

  /** @param {string} id */
  function may(id) {
    return policy.always.includes(id) || allowed.includes(id);
  }

  /**
   * Let of these be used what the companion carries; where they are believed, what it does not deny.
   * @param {readonly string[]} ids
   * @param {boolean} [believed]
   * @param {boolean} [sure] whether all others may not be used, whatever the companion lacks
   */
  function hold(ids, believed, sure = !policy.asks) {
    used = companionIn(cookies());
    const said = wordsOf(read(used));
    const before = [...allowed, ...unsure];
    const other = believed && "granted";
    allowed = optional.filter((id) => ids.includes(id) && (said.get(id) ?? other) === "granted");
    unsure = optional.filter((id) => !sure && said.get(id) !== "denied");
    if (before.some((id) => !may(id) && !unsure.includes(id))) clean();
    news();
  }

  /** Find out whether less may be used: another page may have seen to that. */
  function notice() {
    if (companionIn(cookies()) !== used) hold(allowed);
  }

  const told = document.currentScript?.dataset.allowed?.split(" ");
  const [{ type, transferSize, deliveryType } = /** @type {any} */ ({})] =
    /** @type {any[]} */
    (performance.getEntriesByType("navigation"));
  // What was fetched in advance, is kept by a worker, or is there again, may be of another time.
  // Firefox does not say that a worker was asked, only that nothing came over the network.
  const fresh = told && type !== "back_forward" && transferSize > 0 && !deliveryType;
  // Where an absent choice is a no, the companion carries all that may be used.
  hold(told ?? optional, fresh && policy.asks, fresh || undefined);
  document.addEventListener("gate:change", (event) => {
    // Who makes such an event need not know what belongs in it.
    hold(event.detail?.allowed ?? [], policy.asks);
  }, true);
  document.addEventListener("visibilitychange", notice);
  addEventListener("pageshow", notice);

  /* guard.js */
  /* modes.js */

  document.addEventListener("DOMContentLoaded", () => {
    clean();
    const { gate } = window;
    // What was so before the page was opened is no change, so nothing tells of it.
    // Where only the server knows, it may be that nobody has reached it.
    gate?.ready?.then((/** @type {any} */ known) => {
      hold(optional.filter(gate.has), policy.asks, !policy.asks || known);
    });
  });
})(GATE_POLICY);
