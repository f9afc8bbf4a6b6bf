/**
 * Completes package-lock.json after `npm install` on a mirror that has the packages of this platform only. npm leaves
 * out optional packages that it cannot find, and `npm ci` then refuses the lock everywhere, here too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly license?: string;
  readonly engines?: unknown;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

export interface MissingPackage {
  /** Who wants it: a key of `packages`. */
  readonly wantedBy: string;
  readonly name: string;
  readonly version: string;
}

/** Optional packages that the lock names but does not hold. */
export function missingFrom(lock: Lock): MissingPackage[] {
  return Object.entries(lock.packages).flatMap(([wantedBy, entry]) =>
    Object.entries(entry.optionalDependencies ?? {})
      .filter(([name]) => !placesFor(name, wantedBy).some((place) => place in lock.packages))
      .map(([name, version]) => ({ wantedBy, name, version })),
  );
}

/** The same lock with an entry for each of them. Throws when a version is a range: then npm has to choose it. */
export function completed(lock: Lock): Lock {
  const added = missingFrom(lock).map(({ wantedBy, name, version }) => {
    if (!/^\d+\.\d+\.\d+[\w.+-]*$/.test(version))
      throw new Error(`${name} is wanted as ${version}, not as one version`);
    const parent = lock.packages[wantedBy] ?? {};
    const entry = {
      version,
      ...platformOf(name),
      ...(parent.dev === true ? { dev: true } : {}),
      ...(parent.license === undefined ? {} : { license: parent.license }),
      optional: true,
      ...(parent.engines === undefined ? {} : { engines: parent.engines }),
    };
    return [`node_modules/${name}`, entry] as const;
  });
  const all = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lock, packages: Object.fromEntries(all) };
}

/** Where Node looks for a package, nearest first. */
function placesFor(name: string, from: string): string[] {
  const steps = from === '' ? [] : from.split('/node_modules/');
  return [
    ...steps.map((_step, index) => steps.slice(0, steps.length - index).join('/node_modules/')),
    '',
  ].map((place) => (place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`));
}

/** `@x/binding-linux-arm64-musl` → os, cpu and libc, so that npm installs it nowhere else. */
function platformOf(name: string): { os: string[]; cpu: string[]; libc?: string[] } {
  const match =
    /\b(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(gnu|musl)?\w*)?$/.exec(
      name,
    );
  const [, os, cpu, abi] = match ?? [];
  if (os === undefined || cpu === undefined) throw new Error(`the name ${name} does not tell its platform`);
  const libc = os === 'linux' && abi !== undefined ? { libc: [abi === 'gnu' ? 'glibc' : abi] } : {};
  return { os: [os], cpu: [cpu], ...libc };
}

function main(): void {
  const file = resolve(import.meta.dirname, '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock;
  const missing = missingFrom(lock);
  if (missing.length > 0) writeFileSync(file, `${JSON.stringify(completed(lock), undefined, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} optional packages of other platforms added`);
}

if (process.argv[1] === import.meta.filename) main();
