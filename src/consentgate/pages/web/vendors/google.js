// https://developers.google.com/tag-platform/security/guides/consent
/** @type {import("./vendor.js").Vendor} */
export default (page, kind, state) => {
  page.dataLayer ??= [];
  // The tag reads the arguments themselves: an array of the same would be an event of no name.
  page.gtag ??= function () {
    page.dataLayer.push(arguments);
  };
  page.gtag("consent", kind, state);
};
