/** `llamero keys`: adds, lists and revokes API keys in the file that a router follows. Works whether one runs or not. */
import { resolve } from 'node:path';
import { readConfigFiles } from '../../config/read-files.ts';
import { formatProblem } from '../../config/problems.ts';
import type { Config } from '../../config/schema.ts';
import { unnamedKeyName } from '../../config/schema-keys.ts';
import { createKeyText, digestKey } from '../../keys/key-digest.ts';
import { addStoredKey, readStoredKeys, revokeStoredKey, type StoredKey } from '../../keys/stored-keys.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { findConfigFiles } from '../find-config.ts';
import type { CliIo } from '../io.ts';
import { parseKeysFlags, type KeysFlags } from './keys-flags.ts';
import { keysTable } from './keys-table.ts';

const usage = `Usage: llamero keys add NAME [LIMITS] [--file FILE | --config FILE | --config-dir DIR]
       llamero keys list
       llamero keys revoke NAME

add prints the new key on stdout, once: only its digest is kept. A running router takes changes over by itself.

  --file FILE        file of keys; default: \`keysFile\` of the configuration
  --config FILE, --config-dir DIR
                     that configuration; default: as for serve

LIMITS, each as in \`apiKeys\` (docs/config.md); none = everything is allowed:
  --models A,B*  --routes R,…  --admin none|read|full  --priority N  --expires DATE
  --requests-per-minute N  --tokens-per-minute N  --concurrency N  --tokens-per-day N  --tokens-per-month N

Exit status: 0 done, 64 wrong command line, 66 file not readable, 69 no such key, or the name is taken, 78 problems found.
`;

/** What stands in the way, with the exit status that says so. */
class KeysFault extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

interface KeysPlace {
  readonly path: string;
  /** Names that the configuration has given away. */
  readonly taken: ReadonlySet<string>;
}

export async function runKeys(args: readonly string[], io: CliIo): Promise<ExitCode> {
  try {
    const flags = parseFlags(args);
    if (flags === undefined) {
      io.stdout(usage);
      return exitCodes.ok;
    }
    const place = await findPlace(flags, io);
    if (flags.verb === 'add') add(flags, place, io);
    else if (flags.verb === 'revoke') revoke(flags, place, io);
    else io.stdout(keysTable(readKeys(place)));
    return exitCodes.ok;
  } catch (error) {
    if (!(error instanceof KeysFault)) throw error;
    io.stderr(`llamero keys: ${error.message}\n${error.exitCode === exitCodes.usage ? usage : ''}`);
    return error.exitCode;
  }
}

function parseFlags(args: readonly string[]): KeysFlags | undefined {
  try {
    return parseKeysFlags(args);
  } catch (error) {
    throw new KeysFault(reasonIn(error), exitCodes.usage);
  }
}

function add({ name, rules }: KeysFlags, { path, taken }: KeysPlace, io: CliIo): void {
  const key = createKeyText();
  const entry = { name, digest: digestKey(key), rules, createdEpochMs: Date.now() };
  if (taken.has(name)) throw new KeysFault(`the configuration has a key '${name}'`, exitCodes.unavailable);
  if (!whileWriting(path, () => addStoredKey(path, entry))) {
    throw new KeysFault(`there is a key '${name}' already`, exitCodes.unavailable);
  }
  io.stdout(`${key}\n`);
  io.stderr(`Key '${name}' is in ${path}. It is not shown again.\n`);
}

function revoke({ name }: KeysFlags, { path }: KeysPlace, io: CliIo): void {
  if (!whileWriting(path, () => revokeStoredKey(path, name))) {
    throw new KeysFault(`there is no key '${name}' in ${path}`, exitCodes.unavailable);
  }
  io.stderr(`Key '${name}' opens nothing any more.\n`);
}

function readKeys({ path }: KeysPlace): readonly StoredKey[] {
  return whileWriting(path, () => readStoredKeys(path));
}

function whileWriting<Result>(path: string, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    throw new KeysFault(`cannot use ${path}: ${reasonIn(error)}`, exitCodes.noInput);
  }
}

async function findPlace(flags: KeysFlags, io: CliIo): Promise<KeysPlace> {
  if (flags.file !== undefined) return { path: resolve(io.cwd, flags.file), taken: new Set() };
  const config = await readConfig(flags, io);
  if (config?.keysFile === undefined) {
    const where =
      config === undefined ? 'there is no configuration here' : 'the configuration has no keysFile';
    throw new KeysFault(`${where}: name the file of keys with --file`, exitCodes.usage);
  }
  const names = config.apiKeys.map((entry, index) =>
    typeof entry === 'string' ? unnamedKeyName(index) : entry.name,
  );
  return { path: resolve(io.cwd, config.keysFile), taken: new Set(names) };
}

async function readConfig(flags: KeysFlags, io: CliIo): Promise<Config | undefined> {
  const files = await findConfigFiles(flags, io.cwd);
  if (files === undefined) return undefined;
  const loaded = await readConfigFiles(files, { cwd: io.cwd, env: io.env });
  if (loaded.ok) return loaded.config;
  const problems = loaded.problems.map(formatProblem).join('\n');
  throw new KeysFault(
    `the configuration is not good\n${problems}`,
    loaded.unreadable ? exitCodes.noInput : exitCodes.config,
  );
}

function reasonIn(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
