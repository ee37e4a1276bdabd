// What modules find beside the language itself. `native` holds functions of the host; nothing else of the host is reachable.
(function (native) {
  "use strict";
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });

  const shown = (value) => {
    if (typeof value === "string") return value;
    if (value instanceof Error) return value.stack ? `${value}\n${value.stack}`.trimEnd() : String(value);
    if (typeof value === "function" || typeof value === "symbol" || typeof value === "bigint") return String(value);
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  };
  const console = {};
  for (const level of ["debug", "error", "info", "log", "trace", "warn"]) {
    console[level] = (...values) => native.log(level, values.map(shown).join(" "));
  }
  console.assert = (condition, ...values) => {
    if (!condition) console.error("assertion failed", ...values);
  };
  define("console", console);

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      return native.encode(String(text));
    }
  }
  define("TextEncoder", TextEncoder);

  class TextDecoder {
    #fatal;
    #ignoreBOM;
    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      if (!["utf-8", "utf8", "unicode-1-1-utf-8"].includes(String(label).trim().toLowerCase())) {
        throw new RangeError(`the encoding '${label}' is not supported`);
      }
      this.#fatal = Boolean(fatal);
      this.#ignoreBOM = Boolean(ignoreBOM);
    }
    get encoding() {
      return "utf-8";
    }
    get fatal() {
      return this.#fatal;
    }
    get ignoreBOM() {
      return this.#ignoreBOM;
    }
    decode(bytes = new Uint8Array()) {
      const view = ArrayBuffer.isView(bytes)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new Uint8Array(bytes);
      const text = native.decode(Array.from(view), this.#fatal);
      if (text == null) throw new TypeError("the bytes are not UTF-8");
      return !this.#ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
    }
  }
  define("TextDecoder", TextDecoder);

  class URLSearchParams {
    #pairs = [];
    #changed = () => {};
    static of(query, changed) {
      const params = new URLSearchParams(query);
      params.#changed = changed;
      return params;
    }
    constructor(init = "") {
      if (typeof init === "object" && init !== null) {
        const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
        for (const [name, value] of pairs) this.#pairs.push([String(name), String(value)]);
      } else {
        this.#pairs = native.parseQuery(String(init).replace(/^\?/, ""));
      }
    }
    #set(pairs) {
      this.#pairs = pairs;
      this.#changed(this.toString());
    }
    get size() {
      return this.#pairs.length;
    }
    append(name, value) {
      this.#set([...this.#pairs, [String(name), String(value)]]);
    }
    delete(name, value) {
      this.#set(this.#pairs.filter(([n, v]) => n !== String(name) || (value !== undefined && v !== String(value))));
    }
    get(name) {
      return this.#pairs.find(([n]) => n === String(name))?.[1] ?? null;
    }
    getAll(name) {
      return this.#pairs.filter(([n]) => n === String(name)).map(([, value]) => value);
    }
    has(name, value) {
      return this.#pairs.some(([n, v]) => n === String(name) && (value === undefined || v === String(value)));
    }
    set(name, value) {
      const first = this.#pairs.findIndex(([n]) => n === String(name));
      const pair = [String(name), String(value)];
      if (first < 0) return this.#set([...this.#pairs, pair]);
      this.#set(this.#pairs.flatMap((each, index) => (index === first ? [pair] : each[0] === pair[0] ? [] : [each])));
    }
    sort() {
      this.#set(this.#pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
    }
    forEach(callback, self) {
      for (const [name, value] of this.#pairs) callback.call(self, value, name, this);
    }
    *entries() {
      for (const [name, value] of this.#pairs) yield [name, value];
    }
    *keys() {
      for (const [name] of this.#pairs) yield name;
    }
    *values() {
      for (const [, value] of this.#pairs) yield value;
    }
    [Symbol.iterator]() {
      return this.entries();
    }
    toString() {
      return native.formatQuery(this.#pairs);
    }
  }
  define("URLSearchParams", URLSearchParams);

  class URL {
    #href;
    #params = null;
    constructor(url, base) {
      const href = native.parseUrl(String(url), base === undefined ? null : String(base));
      if (href == null) throw new TypeError(`'${url}' is not a URL`);
      this.#href = href;
    }
    static canParse(url, base) {
      return native.parseUrl(String(url), base === undefined ? null : String(base)) != null;
    }
    static parse(url, base) {
      return URL.canParse(url, base) ? new URL(url, base) : null;
    }
    static #part(name, isReadOnly) {
      Object.defineProperty(URL.prototype, name, {
        get() {
          return native.urlPart(this.#href, name);
        },
        set: isReadOnly
          ? undefined
          : function (value) {
              const href = native.setUrlPart(this.#href, name, String(value));
              if (href == null) {
                if (name === "href") throw new TypeError(`'${value}' is not a URL`);
                return;
              }
              this.#href = href;
              this.#params = null;
            },
        configurable: true,
        enumerable: true,
      });
    }
    static {
      for (const name of [
        "hash", "host", "hostname", "href", "password", "pathname", "port", "protocol", "search", "username",
      ]) {
        URL.#part(name, false);
      }
      URL.#part("origin", true);
    }
    get searchParams() {
      this.#params ??= URLSearchParams.of(this.search, (query) => {
        this.#href = native.setUrlPart(this.#href, "search", query) ?? this.#href;
      });
      return this.#params;
    }
    toString() {
      return this.#href;
    }
    toJSON() {
      return this.#href;
    }
  }
  define("URL", URL);

  const refuse = (value) => {
    const error = new TypeError(`a ${typeof value} cannot be cloned`);
    error.name = "DataCloneError";
    throw error;
  };
  const clone = (value, seen) => {
    if (typeof value === "function" || typeof value === "symbol") refuse(value);
    if (typeof value !== "object" || value === null) return value;
    const known = seen.get(value);
    if (known !== undefined) return known;
    const remember = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    if (Array.isArray(value)) {
      const copy = remember(new Array(value.length));
      for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
      return copy;
    }
    if (value instanceof Date) return remember(new Date(value.getTime()));
    if (value instanceof RegExp) return remember(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return remember(value.slice(0));
    if (value instanceof DataView) {
      return remember(new DataView(clone(value.buffer, seen), value.byteOffset, value.byteLength));
    }
    if (ArrayBuffer.isView(value)) {
      return remember(new value.constructor(clone(value.buffer, seen), value.byteOffset, value.length));
    }
    if (value instanceof Map) {
      const copy = remember(new Map());
      for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen));
      return copy;
    }
    if (value instanceof Set) {
      const copy = remember(new Set());
      for (const item of value) copy.add(clone(item, seen));
      return copy;
    }
    if (value instanceof Error) {
      const copy = remember(new value.constructor(value.message));
      copy.stack = value.stack;
      return copy;
    }
    if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet) refuse(value);
    const copy = remember({});
    for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
    return copy;
  };
  define("structuredClone", (value) => clone(value, new Map()));

  Math.random = native.random;
  define("crypto", {
    getRandomValues(values) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let index = 0; index < bytes.length; index += 1) bytes[index] = Math.floor(native.random() * 256);
      return values;
    },
    randomUUID() {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      const text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return text.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    },
  });
})
