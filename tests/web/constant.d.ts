/** What the server writes into the script in place of this word. */
declare const GATE_POLICY: any;
/** What it writes in place of this: the vendors that a policy names. */
declare const GATE_VENDORS: Record<string, import("./vendors/vendor.js").Vendor>;
