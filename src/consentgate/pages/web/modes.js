/**
 * Tells other makers' tags what may be used, each in its maker's own words.
 *
 * A chunk of first.js, put in where a policy has `consent_mode`. It needs `policy`, may(), and of
 * companion.js jar(), companionIn(), read() and signals().
 *
 * Rule 1. The default is announced here and now: before any tag, if first.js stands before it, and
 *         as it is, so that nothing has to be waited for. What g.js finds out later is an update.
 * Rule 2. Each announcement says everything anew: all seven of Google's keys.
 * Rule 3. Where Global Privacy Control is heeded, whatever is about advertising is denied.
 * Rule 4. A tag that throws is no other one's trouble.
 */
{
  const { vendors, signals: follows } = policy.modes;
  /** @type {any} where the tags have their queues */
  const page = window;
  let last = "";

  // The tag reads the arguments themselves: an array of the same would be an event of no name.
  function gtag() {
    page.dataLayer.push(arguments);
  }

  /** @type {Record<string, (kind: string, state: Record<string, string>) => void>} */
  const tell = {
    // https://developers.google.com/tag-platform/security/guides/consent
    google(kind, state) {
      page.dataLayer ??= [];
      page.gtag ??= gtag;
      page.gtag("consent", kind, state);
    },
    // https://help.ads.microsoft.com/apex/index/3/en/60119
    microsoft(kind, { ad_storage }) {
      (page.uetq ??= []).push("consent", kind, { ad_storage });
    },
    // https://learn.microsoft.com/en-us/clarity/setup-and-installation/clarity-consent-api-v2
    // It has no default and no update, and the queue is that of Clarity's own snippet.
    clarity(kind, { ad_storage, analytics_storage }) {
      page.clarity ??= function () {
        (page.clarity.q ??= []).push(arguments);
      };
      page.clarity("consentv2", { ad_Storage: ad_storage, analytics_Storage: analytics_storage });
    },
    // https://developer.matomo.org/guides/tracking-consent
    // "Given" is about this page and stores nothing; "forget" also ends what another tool had
    // Matomo remember.
    matomo(kind, { analytics_storage }) {
      page._paq ??= [];
      if (kind === "default") page._paq.push(["requireCookieConsent"]);
      const word = analytics_storage === "granted" ? "set" : "forget";
      page._paq.push([`${word}CookieConsentGiven`]);
    },
    // https://developers.facebook.com/docs/facebook-pixel/implementation/gdpr
    // Meta's snippet does nothing where there is an fbq already, so none is made here.
    meta(kind, { ad_storage }) {
      page.fbq?.("consent", ad_storage === "granted" ? "grant" : "revoke");
    },
  };

  /** @param {string} kind */
  const announce = (kind) => {
    const objects = signals() && !read(companionIn(jar()))?.over;
    /** @type {Record<string, string>} */
    const state = {};
    for (const [key, category] of Object.entries(follows)) {
      // What a policy does not have is denied for ever; but security needs no consent.
      const yes = may(category) || (key === "security_storage" && !policy.categories[category]);
      state[key] = yes && !(objects && key.startsWith("ad_")) ? "granted" : "denied";
    }
    const text = JSON.stringify(state);
    if (text === last) return;
    last = text;
    for (const vendor of vendors) {
      try {
        tell[vendor]?.(kind, { ...state });
      } catch {
        // Its queue is not what it should be.
      }
    }
  };

  announce("default");
  document.addEventListener("gate:change", () => announce("update"), true);
}
