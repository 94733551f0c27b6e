/*
 * The guard, a chunk of first.js: decides over what the page's scripts store, by the gate's rules.
 *
 * Rule 1. A site must not break because something optional was refused: a write does nothing; a
 *         database or a cache does not open, by an error such as a browser gives.
 * Rule 2. Deletions pass, and so does what is the gate's own.
 * Rule 3. It holds in this page alone, not in frames and workers: see docs/guard.md.
 */
{
  const blocks = policy.guard === "block" && !policy.report;
  /** @type {Map<string, string>} */
  const categories = new Map();
  const mentioned = new Set();
  /** @type {("local" | "session")[]} */
  const STORES = ["local", "session"];

  /**
   * Say whether a pattern, in which "*" stands for any text, names this.
   * @param {string} pattern
   * @param {string} text
   */
  function matches(pattern, text) {
    if (!pattern.includes("*")) return pattern === text;
    const [first = "", ...pieces] = pattern.split("*");
    const last = pieces.pop() ?? "";
    const end = text.length - last.length;
    let at = first.length;
    if (end < at || !text.startsWith(first) || !text.endsWith(last)) return false;
    return pieces.every((piece) => {
      const found = text.indexOf(piece, at);
      at = found + piece.length;
      return found >= 0 && at <= end;
    });
  }

  /**
   * Return the category of a name as the gate's own matcher does; "" if no rule has it.
   * @param {Kind} kind
   * @param {string} name
   */
  function categoryOf(kind, name) {
    const forms = [name];
    if (kind === "cookie") {
      // A prefix asks for attributes, and a number counts the parts of what is too long for one.
      forms.push(name.replace(/^__((host-)?http|host|secure)-/i, ""));
      forms.push(...forms.map((one) => one.replace(/^(.+)[.C]\d{1,2}$/s, "$1")));
    }
    for (const rank of policy.rules[kind]) {
      for (const form of forms) {
        for (const [id, patterns] of Object.entries(rank)) {
          if (patterns.some((one) => matches(one, form))) return id;
        }
      }
    }
    return "";
  }

  /**
   * Return the category of what is to be stored, and how that is to be taken.
   * @param {Kind} kind
   * @param {string} name
   * @returns {[category: string, treatment: Treatment]}
   */
  function verdict(kind, name) {
    const key = kind + name;
    const category = categories.get(key) ?? categoryOf(kind, name);
    if (categories.size < 999) categories.set(key, category);
    if (policy.own[kind]?.includes(name) || may(category)) return [category, "allow"];
    const unknown = kind === "cookie" ? policy.unknownCookies : policy.unknown;
    return [category, category ? "block" : unknown];
  }

  /**
   * Say whether nothing is to become of something, and tell of that once.
   * @param {Kind} kind
   * @param {string} name
   */
  function stops(kind, name, shown = name, action = "blocked") {
    const [category, treatment] = verdict(kind, name);
    if (treatment === "allow") return false;
    const stop = blocks && treatment === "block";
    const detail = { kind, name: shown, category, action: stop ? action : "reported" };
    const text = Object.values(detail).join(" ");
    if (mentioned.size < 999 && !mentioned.has(text)) {
      mentioned.add(text);
      if (!stop) console.info(`gate: ${text}`);
      document.dispatchEvent(new CustomEvent("gate:report", { detail }));
    }
    return stop;
  }

  /**
   * Have all calls of a function of the browser's go through one of ours.
   * @param {any} owner
   * @param {string} name
   * @param {"value" | "get" | "set"} part
   * @param {(method: Function, self: any, values: any[]) => any} apply
   */
  function through(owner, name, part, apply) {
    try {
      const how = Object.getOwnPropertyDescriptor(owner, name);
      const stand = new Proxy(how?.[part], {
        apply,
        construct: (method, values, self) => apply(method, self, values),
      });
      Object.defineProperty(owner, name, { ...how, [part]: stand });
    } catch {
      // It is not there, or who came before lets nobody in.
    }
  }

  // ---- cookies

  /**
   * Return a cookie's line as it is to be stored; "": not at all.
   * @param {string} line
   */
  function passed(line) {
    const [pair = ""] = line.split(";");
    const [, head = ""] = /^[ \t]*([^=]*?)[ \t]*=/.exec(pair) ?? [];
    // Where there is none, browsers and servers differ on what the name is.
    const names = head ? [head] : ["", pair.replace(/^[=\s]+/, "").replace(/\s*(=.*)?$/s, "")];
    if (names.every((name) => verdict("cookie", name)[1] === "allow")) return line;
    const [, date = ""] = /;\s*expires\s*=([^;]*)/i.exec(line) ?? [];
    const deletes =
      /;\s*max-age\s*=\s*(-|0+\s*(;|$))/i.test(line) || Date.parse(date) <= Date.now() + 1000;
    // What is taken for a deletion is made one for every browser: the last word counts.
    if (deletes) return `${line};max-age=0`;
    return names.some((name) => stops("cookie", name, head)) ? "" : line;
  }

  through(Document.prototype, "cookie", "set", (set, self, [value]) => {
    const line = passed(`${value}`);
    if (line) Reflect.apply(set, self, [line]);
  });
  through(window.CookieStore?.prototype, "set", "value", async (set, self, [first, ...rest]) => {
    // Two arguments are name and value; one holds both, and more, whatever its class.
    const whole = rest.length === 0 && typeof first === "object";
    // Asked a second time, either could be something else.
    const { name: said, expires: end } = whole ? first : { name: first };
    const name = `${said}`;
    // Without an end (null says so too) it lives as long as the session: nothing is before now.
    /** @type {any} */
    const expires = end == null ? undefined : +end;
    if (!(expires <= Date.now()) && stops("cookie", name)) return undefined;
    const fixed = whole
      ? Object.create(first, { name: { value: name }, expires: { value: expires } })
      : name;
    return Reflect.apply(set, self, [fixed, ...rest]);
  });

  // ---- localStorage and sessionStorage

  /** @type {Partial<Record<Kind, Storage>>} */
  const standIns = {};
  /** @type {WeakMap<object, [store: Storage, kind: Kind]>} */
  const behind = new WeakMap();

  /** @type {(one: any) => any} what is behind a stand-in, anything else as it is */
  const bare = (one) => behind.get(one)?.[0] ?? one;

  /**
   * Return what stands in for a storage, so that what is written as a property is seen as well.
   * @param {Kind} kind
   * @param {Storage | null} store
   */
  function standIn(kind, store) {
    if (!store || standIns[kind]) return store && standIns[kind];
    /** @param {string | symbol} key */
    const not = (key) => typeof key === "string" && stops(kind, key);
    const proxy = new Proxy(store, {
      get: (_, key) => Reflect.get(store, key),
      set: (_, key, value) => not(key) || Reflect.set(store, key, value),
      defineProperty: (_, key, how) => not(key) || Reflect.defineProperty(store, key, how),
    });
    behind.set(proxy, [store, kind]);
    return (standIns[kind] = proxy);
  }

  for (const kind of STORES) {
    through(window, `${kind}Storage`, "get", (get, self) =>
      standIn(kind, Reflect.apply(get, self, [])),
    );
  }
  for (const name of Object.keys(Storage.prototype)) {
    through(Storage.prototype, name, "value", (method, self, values) => {
      const [store, kind = "local"] = behind.get(self) ?? [self];
      if (name === "setItem" && stops(kind, (values[0] = `${values[0]}`))) return undefined;
      return Reflect.apply(method, store, values);
    });
  }
  through(Storage.prototype, "length", "get", (get, self) => Reflect.apply(get, bare(self), []));
  through(window.StorageEvent?.prototype, "storageArea", "get", (get, self) => {
    const area = Reflect.apply(get, self, []);
    // Who asks for one gets its stand-in: now there is one.
    return area && [localStorage, sessionStorage].find((one) => bare(one) === area);
  });
  through(window, "StorageEvent", "value", (event, self, [type, how]) => {
    const area = how?.storageArea;
    const real = area ? { ...how, storageArea: bare(area) } : how;
    return Reflect.construct(event, [type, real], self);
  });

  // ---- databases and caches

  through(window.IDBFactory?.prototype, "open", "value", (open, self, values) => {
    if (!stops("idb", (values[0] = `${values[0]}`))) return Reflect.apply(open, self, values);
    // What stands in for it is never made: a request that ends with an error.
    const request = Reflect.apply(open, self, [`${Math.random()}`]);
    /** @param {Event} event */
    const end = (event) => {
      event.stopImmediatePropagation();
      request.transaction.abort();
    };
    request.addEventListener("upgradeneeded", end);
    return request;
  });
  through(window.CacheStorage?.prototype, "open", "value", async (open, self, values) => {
    if (!stops("cache", (values[0] = `${values[0]}`))) return Reflect.apply(open, self, values);
    throw new DOMException("refused by the visitor", "SecurityError");
  });

  // ---- what is there already

  /**
   * Remove a cookie in all forms in which a script can have been shown it here.
   * @param {string} name
   */
  function expire(name) {
    const { hostname, pathname } = location;
    const labels = hostname.split(".");
    const hosts = labels.slice(1).map((_, at) => labels.slice(at).join("."));
    // What ends in a digit is an address (https://url.spec.whatwg.org/#ends-in-a-number-checker),
    // which has no parents.
    const domains = hosts.filter(
      (one) => /\D$/.test(one) && `.${one}`.endsWith(policy.site && `.${policy.site}`),
    );
    const paths = pathname.split("/").flatMap((_, at, all) => {
      const path = all.slice(0, at + 1).join("/");
      return [path, `${path}/`];
    });
    for (const path of paths) {
      for (const domain of ["", ...domains.map((one) => `domain=${one};`)]) {
        for (const more of ["", "secure", "secure;partitioned"]) {
          document.cookie = `${name}=;max-age=0;path=${path};${domain}${more}`;
        }
      }
    }
  }

  /**
   * Remove what is refused of what is there, as far as it is known whether it is.
   * @param {Kind} kind
   * @param {() => string[] | Promise<string[]>} list
   * @param {(name: string) => unknown} remove
   */
  async function sweep(kind, list, remove) {
    const strange = policy.unknown === "block";
    const ids = policy.rules[kind].flatMap((group) => Object.keys(group));
    if (!strange && ids.every((id) => may(id) || unsure.includes(id))) return;
    try {
      for (const name of await list()) {
        const [category] = verdict(kind, name);
        const gone = category ? !unsure.includes(category) : strange;
        if (gone && stops(kind, name, name, "removed")) remove(name);
      }
    } catch {
      // Where it is blocked, nothing is there.
    }
  }

  const sweepCookies = () => {
    // What has no name could be told of by its value alone.
    const pairs = cookies().split("; ").filter((pair) => pair.includes("="));
    const names = pairs.map((pair) => pair.replace(/=.*/s, ""));
    return sweep("cookie", () => names, expire);
  };
  clean = () => {
    void sweepCookies();
    for (const kind of STORES) {
      const store = () => window[`${kind}Storage`];
      void sweep(kind, () => Object.keys(store()), (key) => store().removeItem(key));
    }
    const databases = async () => (await indexedDB.databases()).map(({ name }) => name ?? "");
    void sweep("idb", databases, (name) => indexedDB.deleteDatabase(name));
    void sweep("cache", () => caches.keys(), (name) => caches.delete(name));
  };
  // The first look at storage can take a while: see the end of first.js.
  void sweepCookies();
}
