/**
 * Tells one maker's tags what is allowed. `page` is where they have their queues; `kind` is "default"
 * for the first time, then "update"; `state` says "granted" or "denied" of each of Google's signals.
 */
export type Vendor = (page: any, kind: string, state: Record<string, string>) => void;
