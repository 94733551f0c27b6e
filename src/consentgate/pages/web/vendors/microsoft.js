// https://help.ads.microsoft.com/apex/index/3/en/60119
/** @type {import("./vendor.js").Vendor} */
export default (page, kind, { ad_storage }) => {
  (page.uetq ??= []).push("consent", kind, { ad_storage });
};
