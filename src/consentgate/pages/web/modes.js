/**
 * Tells other makers' tags what may be used, each in its maker's own words.
 *
 * A chunk of first.js, put in where a policy has `consent_mode`; the server writes the vendors that
 * it names, of the files in vendors/, in place of GATE_VENDORS. It needs `policy`, may(),
 * cookies(), and of companion.js companionIn(), read() and signals().
 *
 * Rule 1. The default is announced here and now: before any tag, if first.js stands before it, and
 *         as it is, so that nothing has to be waited for. What g.js finds out later is an update.
 * Rule 2. Each announcement says everything anew: all seven of Google's keys.
 * Rule 3. Where Global Privacy Control is heeded, whatever is about advertising is denied.
 * Rule 4. A tag that throws is no other one's trouble.
 */
{
  let last = "";

  const tell = GATE_VENDORS;

  /** @param {string} kind */
  const announce = (kind) => {
    const objects = signals() && !read(companionIn(cookies()))?.over;
    /** @type {Record<string, string>} */
    const state = {};
    for (const [key, category] of Object.entries(policy.modes)) {
      // What a policy does not have is denied for ever.
      const yes = may(category) && !(objects && key.startsWith("ad_"));
      state[key] = yes ? "granted" : "denied";
    }
    const text = JSON.stringify(state);
    if (text === last) return;
    last = text;
    for (const vendor of Object.values(tell)) {
      try {
        vendor(window, kind, { ...state });
      } catch {
        // Its queue is not what it should be.
      }
    }
  };

  announce("default");
  news = () => announce("update");
}
