#!/usr/bin/env node
// Starts the built program where there is one, else the sources; says what is missing on an old Node.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 9)) {
  process.stderr.write(`llamero: needs Node 24.9 or newer, this is ${process.versions.node}\n`);
  process.exit(69);
}
const { existsSync } = await import('node:fs');
const built = new URL('../dist/main.js', import.meta.url);
await import(existsSync(built) ? built.href : new URL('../src/main.ts', import.meta.url).href);
