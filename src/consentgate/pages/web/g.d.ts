/**
 * What the script g.js offers to a site's own code.
 *
 *     /// <reference path="g.d.ts" />
 *     import type { Gate, GateMirror } from "./g.js";
 */

/** What the visitor said of one category. */
export type GateChoice = "granted" | "denied" | "unset";

/** What holds now. */
export interface GateState {
  /** What the visitor said, by the id of each category; "granted" for what needs no consent. */
  readonly choices: Readonly<Record<string, GateChoice>>;
  /** The ids of what may be used. What was granted need not be among them, nor the other way. */
  readonly allowed: readonly string[];
}

/** `window.gate`. */
export interface Gate {
  /**
   * Say whether a category may be used now; false for what the policy does not have, and for all
   * that is optional while the page is still being read, or is not shown yet.
   */
  has(category: string): boolean;
  /** What the visitor said, by the id of each category. Another object after each change. */
  readonly choices: GateState["choices"];
  /** Call `listener` after each change from now on. Returns what ends that. */
  onChange(listener: (state: GateState) => void): () => void;
  /** Show all choices. Settled when they are there; never rejected. */
  open(): Promise<void>;
  /** Settled as soon as it is known what may be used on this page; never rejected. */
  readonly ready: Promise<void>;
}

/**
 * What lies in localStorage under the policy's `mirror`, as JSON.
 *
 * It is a copy to read, for pages that do not have the script. It is there only where a choice is.
 */
export interface GateMirror {
  /** The version of this format. */
  readonly v: 1;
  /** The version of the policy. */
  readonly version: string;
  /** The day of the choice (UTC): "2026-11-27". */
  readonly decided: string;
  /** What the visitor said, by the id of each category that needs consent. */
  readonly choices: Readonly<Record<string, "granted" | "denied">>;
}

declare global {
  interface Window {
    /** Missing until the script has run, and where it was kept from loading: that is a no. */
    gate?: Gate;
  }
  interface DocumentEventMap {
    /** Something else may be used than before, or the visitor said something else. */
    "gate:change": CustomEvent<GateState>;
  }
}
