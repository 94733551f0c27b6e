// https://developer.matomo.org/guides/tracking-consent
// "Given" is about this page and stores nothing; "forget" also ends what another tool had Matomo
// remember.
/** @type {import("./vendor.js").Vendor} */
export default (page, kind, { analytics_storage }) => {
  page._paq ??= [];
  if (kind === "default") page._paq.push(["requireCookieConsent"]);
  const word = analytics_storage === "granted" ? "set" : "forget";
  page._paq.push([`${word}CookieConsentGiven`]);
};
