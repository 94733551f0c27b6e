// What the shop does in the browser. Before it stores what is not needed, it asks the gate.
"use strict";
(() => {
  // A note to go with an order is kept until it is sent: that is needed, and nobody is asked.
  const note = document.querySelector("#note");
  try {
    if (note) note.value = sessionStorage.getItem("order_note") ?? "";
    note?.addEventListener("input", () => sessionStorage.setItem("order_note", note.value));
  } catch {
    // Some browsers are told to store nothing.
  }

  const YEAR = 365 * 24 * 3600;

  // What goes with a yes to each category.
  const optional = {
    preferences: {
      start: () => localStorage.setItem("catalogue_sort", "price"),
      stop: () => localStorage.removeItem("catalogue_sort"),
    },
    analytics: {
      start: () => {
        document.cookie = `visited=1; Path=/; Max-Age=${YEAR}; SameSite=Lax`;
        sessionStorage.setItem("visit_pages", "1");
      },
      stop: () => sessionStorage.removeItem("visit_pages"), // the gate removes the cookie
    },
    marketing: {
      start: () => localStorage.setItem("seen_items", "mug"),
      stop: () => localStorage.removeItem("seen_items"),
    },
  };

  function follow() {
    for (const [category, { start, stop }] of Object.entries(optional)) {
      try {
        (window.gate.has(category) ? start : stop)();
      } catch {
        // Some browsers are told to store nothing.
      }
    }
  }

  if (!window.gate) return; // a filter list kept it away: nothing was asked, so nothing is stored
  window.gate.ready.then(follow);
  window.gate.onChange(follow);

  // Without script this link leads to the same choices, on a page of their own.
  document.querySelector("footer a")?.addEventListener("click", (event) => {
    event.preventDefault();
    window.gate.open();
  });
})();
