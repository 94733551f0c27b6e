// https://learn.microsoft.com/en-us/clarity/setup-and-installation/clarity-consent-api-v2
// It has no default and no update, and the queue is that of Clarity's own snippet.
/** @type {import("./vendor.js").Vendor} */
export default (page, kind, { ad_storage, analytics_storage }) => {
  page.clarity ??= function () {
    (page.clarity.q ??= []).push(arguments);
  };
  page.clarity("consentv2", { ad_Storage: ad_storage, analytics_Storage: analytics_storage });
};
