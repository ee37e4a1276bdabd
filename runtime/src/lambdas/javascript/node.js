// What the driver needs of Node.js.
import * as files from "node:fs";
import * as machine from "node:vm";
import { setImmediate } from "node:timers";
import { Buffer } from "node:buffer";

const host = {
  read: (bytes) => files.readSync(0, bytes),
  write: (bytes) => files.writeSync(1, bytes),
  buffer: (size) => Buffer.allocUnsafe(size),
  text: (bytes, start, end) => bytes.utf8Slice(start, end),
  // What jobs are due is done, and all that follows from it.
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  begin: (callback) => callback(),
  Script: machine.Script,
  // The namespace of the module at `entry`, once it and all that it imports has been run.
  async load(modules, entry, nameOf) {
    const loaded = modules.map(
      ({ text }, index) => new machine.SourceTextModule(text, { identifier: nameOf(index) }),
    );
    const indices = new Map(loaded.map((module, index) => [module, index]));
    await loaded[entry].link((specifier, from) => {
      const target = modules[indices.get(from)].imports[specifier];
      if (target === undefined) throw new Error(`there is no module '${specifier}'`);
      return loaded[target];
    });
    await loaded[entry].evaluate();
    return loaded[entry].namespace;
  },
};
