  /*
   * A chunk, of which each script has its own copy: what the companion says, and what holds by it.
   *
   * It needs `policy`, and the types Companion and Said: see where it is put in.
   */
  const DAY = 86_400;
  const optional = Object.keys(policy.categories);

  /**
   * Return the companion's value; "" if there is none, or if it is there twice and differs.
   * @param {string | null} cookies all that can be read
   */
  function companionIn(cookies) {
    const start = `${policy.name}=`;
    const pairs = (cookies ?? "").split("; ").filter((pair) => pair.startsWith(start));
    const [first = start] = pairs;
    return pairs.every((pair) => pair === first) ? first.slice(start.length) : "";
  }

  /**
   * Read `DAY "." KEY ["!"] ("&" ID "=" [REV])*`; null: it says nothing, or the gate could not
   * read the choice that it goes with.
   * @param {string} value
   * @returns {Companion | null}
   */
  function read(value) {
    const [head = "", ...pairs] = value.split("&");
    const [, digits, key = "", over] = /^(\d+)\.(\w+)(!?)$/.exec(head) ?? [];
    const day = Number(digits);
    // A clock may be wrong by a day or two; NaN is not in order either.
    if (!(day <= today() + 2) || !policy.keys.includes(key)) return null;
    const given = new Map();
    for (const pair of pairs) {
      const [, name = "", revision = ""] = /^([^=]+)=([\da-f]{4})?$/.exec(pair) ?? [];
      try {
        const id = decodeURIComponent(name);
        if (id === "" || given.has(id)) return null;
        given.set(id, revision);
      } catch {
        return null;
      }
    }
    return { day, over: over === "!", given };
  }

  /**
   * Return what a companion still says today, of the categories that the policy has.
   * @param {Companion | null} companion
   */
  function wordsOf(companion) {
    /** @type {Said} */
    const said = new Map();
    if (companion === null) return said;
    const age = Date.now() / 1000 - companion.day * DAY;
    const objects = signals() && !companion.over;
    for (const id of optional) {
      const revision = companion.given.get(id) ?? "-";
      const valid = policy.categories[id]?.includes(revision) && age <= policy.accepted;
      if (revision === "" && age <= policy.refused) said.set(id, "denied");
      if (valid && !(objects && policy.sold.includes(id))) said.set(id, "granted");
    }
    return said;
  }

  function today() {
    return Math.floor(Date.now() / 1000 / DAY);
  }

  /** Say whether the browser sends Global Privacy Control, or what the policy takes for it. */
  function signals() {
    const browser =
      /** @type {Record<string, any>} */
      (navigator);
    // true is equal to 1, and "1", which is what Do Not Track says, is so too.
    return policy.signals.some((name) => browser[name] == 1);
  }
