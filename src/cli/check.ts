/** `llamero check FILE`: says whether a configuration file is good, and everything that is wrong with it. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { tryRecogniseSystem } from '../config/import/recognise-system.ts';
import { formatProblem } from '../config/problems.ts';
import { readConfigFiles, readText, type ConfigFiles } from '../config/read-files.ts';
import type { Config } from '../config/schema.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { nameOfFiles } from './find-config.ts';
import type { CliIo } from './io.ts';

const usage = `Usage: llamero check FILE
       llamero check [FILE] --config-dir DIR

Exit status: 0 good, 64 wrong command line, 66 file not readable, 78 problems found.
`;

export async function runCheck(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCheckArgs(args);
  if (parsed.help) {
    io.stdout(usage);
    return exitCodes.ok;
  }
  const { files } = parsed;
  if (files === undefined) {
    io.stderr(`llamero check: ${parsed.fault}\n${usage}`);
    return exitCodes.usage;
  }
  const result = await readConfigFiles(files, { cwd: io.cwd, env: io.env });
  for (const warning of result.warnings) io.stderr(`${formatProblem(warning)} (warning)\n`);
  if (!result.ok) {
    for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`);
    if (!result.unreadable) await hintAtImport(files, io);
    return result.unreadable ? exitCodes.noInput : exitCodes.config;
  }
  if (countsOf(result.config).length === 0) await hintAtImport(files, io);
  io.stdout(`${nameOfFiles(files)}: ok, ${summaryOf(result.config, result.warnings.length)}\n`);
  return exitCodes.ok;
}

interface CheckArgs {
  readonly help: boolean;
  readonly files: ConfigFiles | undefined;
  /** Why there are no files. */
  readonly fault: string;
}

function parseCheckArgs(args: readonly string[]): CheckArgs {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { 'config-dir': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    const [file, ...more] = positionals;
    const folder = values['config-dir'];
    const isNothing = file === undefined && folder === undefined;
    const fault = isNothing ? 'names no file' : 'takes one file';
    const files = isNothing || more.length > 0 ? undefined : { file, folder };
    return { help: values.help === true, files, fault };
  } catch (error) {
    return { help: false, files: undefined, fault: (error as Error).message };
  }
}

/** Whoever comes from another router may check its file before they have read about `import`. */
async function hintAtImport({ file }: ConfigFiles, io: CliIo): Promise<void> {
  if (file === undefined) return;
  const system = tryRecogniseSystem({ file, text: await readText(resolve(io.cwd, file)) });
  if (system === undefined) return;
  io.stderr(`${file} looks like a configuration of ${system.title}: llamero import ${system.name} ${file}\n`);
}

/** `3 backends, 2 models, listening on 127.0.0.1:8700, 1 warning`. */
function summaryOf(config: Config, warnings: number): string {
  const counts = countsOf(config);
  const parts = counts.length === 0 ? ['nothing to serve'] : counts;
  parts.push(`listening on ${config.listen.join(' and ')}`);
  if (warnings > 0) parts.push(counted(warnings, 'warning'));
  return parts.join(', ');
}

function countsOf({ backends, models, peers }: Config): string[] {
  return [
    { noun: 'backend', count: Object.keys(backends).length },
    { noun: 'model', count: Object.keys(models).length },
    { noun: 'peer', count: Object.keys(peers).length },
  ].flatMap(({ noun, count }) => (count === 0 ? [] : [counted(count, noun)]));
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
