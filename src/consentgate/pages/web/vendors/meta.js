// https://developers.facebook.com/docs/facebook-pixel/implementation/gdpr
// Meta's snippet does nothing where there is an fbq already, so none is made here.
/** @type {import("./vendor.js").Vendor} */
export default (page, kind, { ad_storage }) => {
  page.fbq?.("consent", ad_storage === "granted" ? "grant" : "revoke");
};
