// What the driver needs of Deno.
import * as machine from "node:vm";
import { registerHooks } from "node:module";
import { setImmediate } from "node:timers";
import { Buffer } from "node:buffer";

const { stdin, stdout } = Deno;
// A promise that nobody waits for is nothing to end for.
addEventListener("unhandledrejection", (event) => event.preventDefault());

const host = {
  read: (bytes) => stdin.readSync(bytes) ?? 0,
  write: (bytes) => stdout.writeSync(bytes),
  buffer: (size) => Buffer.allocUnsafe(size),
  text: (bytes, start, end) => bytes.utf8Slice(start, end),
  // What jobs are due is done, and all that follows from it.
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  // Deno itself needs the globals until then.
  begin(callback) {
    addEventListener("load", callback);
    delete EventTarget.prototype.addEventListener;
    delete EventTarget.prototype.removeEventListener;
  },
  Script: machine.Script,
  // The namespace of the module at `entry`, once it and all that it imports has been run.
  load(modules, entry, nameOf) {
    const indices = new Map(modules.map((_, index) => [nameOf(index), index]));
    registerHooks({
      resolve(specifier, context, next) {
        if (indices.has(specifier)) return { url: specifier, shortCircuit: true };
        const from = indices.get(context.parentURL);
        if (from === undefined) return next(specifier, context);
        const target = modules[from].imports[specifier];
        if (target === undefined) throw new Error(`there is no module '${specifier}'`);
        return { url: nameOf(target), shortCircuit: true };
      },
      load(url, context, next) {
        if (!indices.has(url)) return next(url, context);
        return { format: "module", source: modules[indices.get(url)].text, shortCircuit: true };
      },
    });
    return import(nameOf(entry));
  },
};
