/// <reference path="../../src/consentgate/pages/web/g.d.ts" />
// What a site's own code may write, checked by the compiler alone: it is never run.
import type { Gate, GateChoice, GateMirror } from "../../src/consentgate/pages/web/g.js";

declare function start(): void;
declare function stop(): void;

// The script may have been kept from loading: the compiler insists that this is thought of.
if (window.gate?.has("analytics")) start();
// @ts-expect-error
window.gate.has("analytics");

const end: (() => void) | undefined = window.gate?.onChange(({ allowed, choices }) => {
  const said: GateChoice | undefined = choices["analytics"];
  if (allowed.includes("analytics")) start();
  else if (said === "denied") stop();
});
end?.();

document.addEventListener("gate:change", (event) => {
  const allowed: readonly string[] = event.detail.allowed;
  if (allowed.length > 1 && event.detail.choices["marketing"] === "granted") start();
});

async function whenKnown(gate: Gate): Promise<GateChoice | undefined> {
  await gate.ready;
  document.querySelector("#privacy")?.addEventListener("click", gate.open);
  await gate.open();
  // @ts-expect-error it is read, never written
  gate.choices["analytics"] = "granted";
  // @ts-expect-error there is no such word
  if (gate.choices["analytics"] === "maybe") stop();
  return gate.choices["analytics"];
}

function day(text: string | null): string {
  const mirror: GateMirror | null = text === null ? null : JSON.parse(text);
  return mirror?.v === 1 && mirror.choices["analytics"] === "granted" ? mirror.decided : "";
}

export { day, whenKnown };
