/** `llamero import SYSTEM FILE`: prints the configuration of another router as one of Llamero, and what of it is left behind. */
import { randomUUID } from 'node:crypto';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ImportNote, ImportVariable } from '../config/import/draft.ts';
import type { ForeignText } from '../config/import/foreign-value.ts';
import { importableSystems } from '../config/import/systems.ts';
import type { ImportableSystem } from '../config/import/systems.ts';
import { loadImported } from '../config/import/verify-import.ts';
import { formatProblem } from '../config/problems.ts';
import { readText, reasonOf } from '../config/read-files.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { CliIo } from './io.ts';

const usage = `Usage: llamero import nomyo FILE [--env-file FILE]
       llamero import llamacpp-ha FILE [--env-file FILE]
       llamero import ollama-lb [FILE] [--env-file FILE]

Prints a configuration of Llamero; what could not be carried goes to stderr. docs/import.md lists every key.

  -o, --output FILE  Write it there instead. A file that exists is kept, unless --force is given.
  --env-file FILE    NAME=value lines: the environment of the other router.

Exit status: 0 done, 64 wrong command line, 66 file not readable, 69 not writable, 78 problems found.
`;

export async function runImport(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseImportArgs(args);
  if (parsed === 'help') {
    io.stdout(usage);
    return exitCodes.ok;
  }
  if (typeof parsed === 'string') {
    io.stderr(`llamero import: ${parsed}\n${usage}`);
    return exitCodes.usage;
  }
  const texts = await readTexts(parsed, io);
  if (texts === undefined) return exitCodes.noInput;
  const imported = parsed.system.run(texts);
  if (!imported.ok) {
    for (const problem of imported.problems) io.stderr(`${formatProblem(problem)}\n`);
    return exitCodes.config;
  }
  const loaded = loadImported(imported);
  if (!loaded.ok) {
    io.stderr('llamero import: a fault of the importer, please report it: what it made does not load\n');
    for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
    return exitCodes.internal;
  }
  const written = await deliver(imported.yaml, parsed, io);
  if (written === exitCodes.ok) io.stderr(reportOf(imported.notes, imported.variables));
  return written;
}

interface ImportArgs {
  readonly system: ImportableSystem;
  readonly file: string | undefined;
  readonly envFile: string | undefined;
  readonly output: string | undefined;
  readonly force: boolean;
}

/** `help`, or any other text = what is wrong. */
function parseImportArgs(args: readonly string[]): ImportArgs | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        'env-file': { type: 'string' },
        output: { type: 'string', short: 'o' },
        force: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
    if (values.help === true) return 'help';
    const [name, file, ...more] = positionals;
    const system = importableSystems.find((one) => one.name === name);
    const known = importableSystems.map((one) => one.name).join(', ');
    if (name === undefined) return `names no system (${known})`;
    if (system === undefined) return `knows no system '${name}' (${known})`;
    if (file === undefined && system.needsFile) return 'names no file';
    if (more.length > 0) return 'takes one file';
    const { output, force = false } = values;
    return { system, file, envFile: values['env-file'], output, force };
  } catch (error) {
    return (error as Error).message;
  }
}

/** Undefined = one of them cannot be read, which has been told. */
async function readTexts(
  { file, envFile }: ImportArgs,
  io: CliIo,
): Promise<{ main: ForeignText | undefined; env: ForeignText | undefined } | undefined> {
  let name = '';
  const read = async (shown: string | undefined): Promise<ForeignText | undefined> => {
    if (shown === undefined) return undefined;
    name = shown;
    return { file: shown, text: await readText(resolve(io.cwd, shown)) };
  };
  try {
    return { main: await read(file), env: await read(envFile) };
  } catch (error) {
    io.stderr(`${name} cannot be read: ${reasonOf(error)}\n`);
    return undefined;
  }
}

async function deliver(yaml: string, { output, force }: ImportArgs, io: CliIo): Promise<ExitCode> {
  if (output === undefined) {
    io.stdout(yaml);
    return exitCodes.ok;
  }
  const target = resolve(io.cwd, output);
  const draft = join(dirname(target), `.${basename(target)}.${randomUUID()}`);
  try {
    await writeFile(draft, yaml, { flag: 'wx' });
    // A link is made only where nothing is, so that two imports at once cannot overwrite each other either.
    await (force ? rename(draft, target) : link(draft, target));
    return exitCodes.ok;
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    io.stderr(
      exists
        ? `${output} exists: --force overwrites it\n`
        : `${output} cannot be written: ${reasonOf(error)}\n`,
    );
    return exists ? exitCodes.usage : exitCodes.unavailable;
  } finally {
    await rm(draft, { force: true });
  }
}

function reportOf(notes: readonly ImportNote[], variables: readonly ImportVariable[]): string {
  const lines: string[] = [];
  if (notes.length > 0) lines.push('Not carried as it was:', ...notes.map(describeNote));
  if (variables.length > 0) {
    lines.push(
      'To be set before the start:',
      ...variables.map(({ name, purpose }) => `  ${name}: ${purpose}`),
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}

function describeNote({ key, file, line, value, why }: ImportNote): string {
  const place = line === 0 ? '' : ` (${file}:${line})`;
  return `  ${key}${value === undefined ? '' : ` = ${value}`}${place}: ${why}`;
}
