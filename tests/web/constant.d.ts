/** What the server writes into the script in place of this word. */
declare const GATE_POLICY: any;
