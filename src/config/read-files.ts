/** Configuration files on disk: one, a folder of them, or both. Owns reading and its errors; load.ts owns the meaning. */
import { createReadStream } from 'node:fs';
import { access, constants, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { loadConfigTexts } from './load.ts';
import type { LoadOptions, LoadResult } from './load.ts';
import type { ConfigSource } from './merge-sources.ts';
import type { ConfigProblem, Finding } from './problems.ts';
import type { Config } from './schema.ts';
import { readTlsFiles } from './tls-files.ts';
import { textBytesMax } from './yaml-tree.ts';

export interface ConfigFiles {
  /** Read first. */
  readonly file?: string | undefined;
  /** Folder whose `*.yaml` and `*.yml` are read, sorted by name; folders in it are not. */
  readonly folder?: string | undefined;
}

/**
 * Loads the files, which messages call as they are given here. Relative ones start at `cwd`. What cannot be read is a
 * failure like any other; never rejects.
 */
export async function readConfigFiles(
  files: ConfigFiles,
  options: LoadOptions & { readonly cwd: string },
): Promise<LoadResult> {
  try {
    const sources = await readSources(files, options.cwd);
    const { result, sound, failedBy } = loadConfigTexts(sources, options);
    const findings = sound === undefined ? [] : await findWrongFiles(sound, options.cwd);
    return findings.length === 0 ? result : failedBy(findings);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    const place = { file: error.file, line: 0, column: 0, path: '' };
    const problem: ConfigProblem = { ...place, message: error.message, code: 'config_reference' };
    return { ok: false, unreadable: true, problems: [problem], warnings: [] };
  }
}

/** The names of the files that a folder contributes, sorted. Rejects when it cannot be read. */
export async function listConfigFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && /\.ya?ml$/.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Something that was named cannot be read, or nothing was named. `file` is how messages call it. */
class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
  readonly file: string;

  constructor(file: string, message: string) {
    super(message);
    this.file = file;
  }
}

async function readSources({ file, folder }: ConfigFiles, cwd: string): Promise<ConfigSource[]> {
  if (file === undefined && folder === undefined) {
    throw new UnreadableError('configuration:', 'at least one of -config or -config-dir must be provided');
  }
  const shown: string[] = [];
  if (folder !== undefined) {
    const names = await orUnreadable(folder, listConfigFolder(resolve(cwd, folder)));
    shown.push(...names.map((name) => join(folder, name)));
    if (file !== undefined && (await isInside(resolve(cwd, file), resolve(cwd, folder)))) {
      throw new UnreadableError(file, `is inside the configuration folder ${folder}: it would be read twice`);
    }
  }
  if (file !== undefined) shown.unshift(file);
  const sources: ConfigSource[] = [];
  for (const name of shown) {
    sources.push({ file: name, text: await orUnreadable(name, readText(resolve(cwd, name))) });
  }
  if (sources.length === 0) throw new UnreadableError(folder ?? '', 'no configuration sources found');
  return sources;
}

/** Links are followed: the same file must not come in twice. */
async function isInside(file: string, folder: string): Promise<boolean> {
  const real = async (path: string): Promise<string> => realpath(path).catch(() => path);
  return (
    (await real(dirname(file))) === (await real(folder)) || dirname(await real(file)) === (await real(folder))
  );
}

async function orUnreadable<Value>(shownAs: string, reading: Promise<Value>): Promise<Value> {
  try {
    return await reading;
  } catch (error) {
    throw new UnreadableError(shownAs, `cannot be read: ${reasonOf(error)}`);
  }
}

/** The text of one UTF-8 file. One byte more than allowed is read, so that an endless file ends and is seen to be too large. */
export async function readText(file: string): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of createReadStream(file, { end: textBytesMax })) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  // A text that is cut off may end inside a character.
  return new TextDecoder('utf-8', { fatal: bytes.length <= textBytesMax }).decode(bytes);
}

/** Why a file could not be read or written, in words. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file',
    ENOTDIR: 'it is not a folder',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
    ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
  };
  return reasons[code] ?? (code === '' ? 'unknown reason' : code);
}

/** What is wrong with the files that a configuration names. */
async function findWrongFiles({ store, tls }: Config, cwd: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  // An empty path is wrong in itself.
  const storePath = store?.path ?? '';
  const storeFault = storePath === '' ? undefined : await faultOfStore(resolve(cwd, storePath));
  if (storeFault !== undefined) {
    findings.push({ path: ['store', 'path'], message: storeFault, code: 'config_reference' });
  }
  const reading = tls && (await readTlsFiles(tls, cwd));
  if (reading?.ok === false) {
    findings.push({ path: ['tls', reading.at], message: reading.fault, code: 'config_reference' });
  }
  return findings;
}

/** The file itself, or the folder it is to be made in, must take writes. */
async function faultOfStore(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile()) return 'store.path is not a regular file';
  const target = found === undefined ? dirname(path) : path;
  const isWritable = await access(target, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isWritable) return undefined;
  return found === undefined
    ? 'store.path is in a folder that is missing or not writable'
    : 'store.path is not writable';
}
