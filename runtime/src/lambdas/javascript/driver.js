// Runs the module of a derivation in a program that is not part of Tidegate. `host` is what it needs of the program, `opening`
// the module, and what an instance of its class begins with.
//
// Each line that comes in is a list of invocations, `[[transform, document], …]`, or the name of what is to be done at the end of a
// transaction. Each line that goes out is a list of what came of that: the documents of the next invocation as a list, and anything
// else as an object of one property.
(function (host, opening) {
  "use strict";
  const { modules, entry, methods, state, seed, prelude, limits } = opening;
  const { parse, stringify } = JSON;
  const now = performance.now.bind(performance);
  // What the engine inside of Tidegate has. Anything else would make a module something different there.
  const GLOBALS = new Set([
    "Object", "Function", "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError",
    "InternalError", "AggregateError", "SuppressedError", "Iterator", "Array", "parseInt", "parseFloat", "isNaN", "isFinite",
    "queueMicrotask", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent", "escape", "unescape", "Infinity", "NaN",
    "undefined", "eval", "Number", "Boolean", "String", "Math", "Reflect", "Symbol", "DisposableStack", "globalThis", "BigInt",
    "Date", "RegExp", "JSON", "Proxy", "Map", "Set", "WeakMap", "WeakSet", "ArrayBuffer", "SharedArrayBuffer", "Uint8ClampedArray",
    "Int8Array", "Uint8Array", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array", "BigInt64Array", "BigUint64Array",
    "Float16Array", "Float32Array", "Float64Array", "DataView", "Atomics", "Promise", "AsyncDisposableStack", "WeakRef",
    "FinalizationRegistry", "DOMException", "btoa", "atob", "performance", "console", "TextEncoder", "TextDecoder",
    "URLSearchParams", "URL", "structuredClone", "crypto",
  ]);

  // What goes out.
  const encoder = new TextEncoder();
  let text = "";
  let lines = [];
  let writtenAt = now();
  const add = (json) => {
    text += text === "" ? "[" + json : "," + json;
  };
  const write = () => {
    if (lines.length > 0) {
      add(stringify({ log: lines }));
      lines = [];
    }
    if (text !== "") {
      let bytes = encoder.encode(text + "]\n");
      text = "";
      while (bytes.length > 0) bytes = bytes.subarray(host.write(bytes));
    }
    writtenAt = now();
  };
  const tell = (error) => {
    write();
    add(stringify({ error }));
    write();
  };

  // What modules find beside the language.
  const URL = globalThis.URL;
  const URLSearchParams = globalThis.URLSearchParams;
  const TextDecoder = globalThis.TextDecoder;
  const orNull = (make) => {
    try {
      return make();
    } catch {
      return null;
    }
  };
  // The sequence SplitMix64, as inside of Tidegate.
  let drawn = BigInt(seed);
  const native = {
    log(level, line) {
      if (lines.push([level, line]) >= limits.logLines) write();
    },
    random() {
      const whole = (value) => BigInt.asUintN(64, value);
      drawn = whole(drawn + 0x9e3779b97f4a7c15n);
      let mixed = drawn;
      mixed = whole((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n);
      mixed = whole((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
      mixed ^= mixed >> 31n;
      return Number(mixed >> 11n) / 9007199254740992;
    },
    encode: (value) => encoder.encode(value),
    decode: (bytes, fatal) =>
      orNull(() => new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(Uint8Array.from(bytes))),
    parseQuery: (query) => [...new URLSearchParams(`?${query}`)],
    formatQuery: (pairs) => new URLSearchParams(pairs).toString(),
    parseUrl: (value, base) => orNull(() => new URL(value, base ?? undefined).href),
    urlPart: (href, part) => new URL(href)[part],
    setUrlPart: (href, part, value) =>
      orNull(() => {
        const url = new URL(href);
        url[part] = value;
        return url.href;
      }),
  };
  const furnish = () => {
    const { now, timeOrigin } = performance;
    const value = { now: now.bind(performance), timeOrigin };
    Object.defineProperty(globalThis, "performance", { value, writable: true, configurable: true, enumerable: true });
    (0, eval)(prelude)(native);
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (!GLOBALS.has(name)) Reflect.deleteProperty(globalThis, name);
      else if (Object.getOwnPropertyDescriptor(globalThis, name).configurable) {
        Object.defineProperty(globalThis, name, { enumerable: name === "performance" });
      }
    }
  };

  // Errors, with the places in modules only.
  const nameOf = (index) => `tidegate:${index}`;
  const names = new Map(modules.map(({ name }, index) => [nameOf(index), name]));
  Error.stackTraceLimit = 64;
  Error.prepareStackTrace = (_, sites) =>
    sites
      .filter((site) => names.has(site.getFileName()))
      .map((site) => {
        const place = `${names.get(site.getFileName())}:${site.getLineNumber()}:${site.getColumnNumber()}`;
        return `    at ${site.getFunctionName() ?? "<anonymous>"} (${place})\n`;
      })
      .join("");
  const isConstructor = (value) => orNull(() => Reflect.construct(Object, [], value)) !== null;
  const typeOf = (value) => {
    switch (typeof value) {
      case "boolean":
        return "bool";
      case "number":
        return Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0) ? "int" : "float";
      case "bigint":
        return "big_int";
      case "function":
        return isConstructor(value) ? "constructor" : "function";
      case "object":
        if (value === null) return "null";
        if (Array.isArray(value)) return "array";
        return value instanceof Promise ? "promise" : value instanceof Error ? "exception" : "object";
      default:
        return typeof value;
    }
  };
  const tellThrown = (value) => {
    if (!(value instanceof Error)) {
      return tell({ kind: "thrown", type: typeOf(value), text: typeof value === "string" ? value : null });
    }
    const part = (name) => orNull(() => String(value[name])) ?? "";
    return tell({ kind: "thrown", name: part("name"), message: part("message"), stack: part("stack") });
  };

  // Modules whose jobs may go on by themselves get the time for that after each call, as inside of Tidegate.
  const hasJobs = modules.some(
    ({ name, text }) => name !== "" && /\b(async|await|Promise|queueMicrotask|fromAsync|then)\b/.test(text),
  );
  // What is given, or what a promise is settled with, once no job is left. Nothing outside settles promises, so one that is open then stays
  // open.
  const UNSETTLED = {};
  const settled = async (given) => {
    const isPromise = given instanceof Promise;
    if (!isPromise && !hasJobs) return given;
    let outcome = isPromise ? null : { value: given };
    if (isPromise) {
      given.then(
        (value) => (outcome = { value }),
        (error) => (outcome = { error }),
      );
    }
    await host.turn();
    if (outcome === null) throw UNSETTLED;
    if ("error" in outcome) throw outcome.error;
    return outcome.value;
  };

  // What a method gives: documents, of which many go out in parts.
  const publish = (method, given) => {
    if (!Array.isArray(given)) {
      tell({ kind: "output", method, type: typeOf(given) });
      return false;
    }
    if (given.length === 0) {
      add("[]");
      return true;
    }
    if (given.length > limits.documents) {
      tell({ kind: "excess", method });
      return false;
    }
    let json = stringify(given);
    if (json.length > limits.answer) {
      let part = [];
      let size = 0;
      for (const document of given) {
        const each = stringify(document) ?? "null";
        part.push(each);
        size += each.length;
        if (size > limits.answer) {
          add(`{"part":[${part.join()}]}`);
          write();
          part = [];
          size = 0;
        }
      }
      json = `[${part.join()}]`;
    }
    add(json);
    if (text.length > limits.answer) write();
    return true;
  };

  let instance;
  let called;
  let batch = [];
  let next = 0;
  const call = () => called[batch[next][0]].call(instance, { doc: batch[next][1] });
  const take = (given) => {
    const method = methods[batch[next][0]];
    next += 1;
    return publish(method, given);
  };
  // Calls methods until one has to be waited for, or it is time to write. What is thrown from here would be decorated.
  const run = () => {
    try {
      while (next < batch.length) {
        const given = call();
        if (given instanceof Promise) return { given };
        if (!take(given)) return { isDone: true };
        if ((next & 15) === 0 && now() - writtenAt > limits.patience) return {};
      }
      return {};
    } catch (thrown) {
      return { thrown };
    }
  };
  // The only way to stop a method is to run it as a script. That takes too long for single calls, which jobs have to be done between.
  Object.defineProperty(globalThis, Symbol.for("tidegate"), { value: run });
  const script = new host.Script(`globalThis[Symbol.for("tidegate")]()`);
  const invoke = async () => {
    for (next = 0; next < batch.length; ) {
      const outcome = hasJobs ? { given: call() } : script.runInThisContext({ timeout: limits.time });
      if ("thrown" in outcome) throw outcome.thrown;
      if ("isDone" in outcome) return false;
      if ("given" in outcome && !take(await settled(outcome.given))) return false;
      if (now() - writtenAt > limits.patience) write();
    }
    return true;
  };

  const open = async () => {
    furnish();
    const namespace = await host.load(modules, entry, nameOf);
    instance = new namespace.Derivation({ state });
    called = methods.map((method) => instance[method]);
    const missing = called.findIndex((method) => typeof method !== "function");
    if (missing >= 0) tell({ kind: "missing", method: methods[missing] });
    else add(`{"opened":true}`);
    return missing < 0;
  };
  const steps = {
    flush: async () => publish("flush", await settled(instance.flush?.())),
    reset: async () => {
      await settled(instance.reset?.());
      add(`{"reset":true}`);
      return true;
    },
    startCommit: async () => {
      const started = instance.startCommit?.({ runtimeCheckpoint: null }) ?? null;
      add(stringify({ started }));
      await settled(null);
      return true;
    },
  };
  const main = async () => {
    let goesOn = await open();
    while (goesOn) {
      write();
      const line = host.line();
      if (line === null) return;
      const request = parse(line);
      batch = Array.isArray(request) ? request : [];
      goesOn = Array.isArray(request) ? await invoke() : await steps[request]();
    }
  };
  main().catch((error) => {
    if (error === UNSETTLED) tell({ kind: "unsettled" });
    else if (error?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT") tell({ kind: "time" });
    else tellThrown(error);
  });
});
