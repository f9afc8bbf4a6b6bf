/** `llamero check FILE`: says whether a configuration file is good, and everything that is wrong with it. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfigFile } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import type { Config } from '../config/schema.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import type { CliIo } from './io.ts';

const usage =
  'Usage: llamero check FILE\n\nExit status: 0 good, 64 wrong command line, 66 file not readable, 78 problems found.\n';

export async function runCheck(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCheckArgs(args);
  if (parsed.help) {
    io.stdout(usage);
    return exitCodes.ok;
  }
  if (parsed.file === undefined) {
    io.stderr(`llamero check: ${parsed.fault}\n${usage}`);
    return exitCodes.usage;
  }
  const { file } = parsed;
  const result = await readConfigFile({ file: resolve(io.cwd, file), shownAs: file, env: io.env });
  if (!result.ok) {
    for (const problem of result.problems) io.stderr(`${formatProblem(problem)}\n`);
    return result.unreadable ? exitCodes.noInput : exitCodes.config;
  }
  for (const warning of result.warnings) io.stderr(`${formatProblem(warning)} (warning)\n`);
  io.stdout(`${file}: ok, ${summaryOf(result.config, result.warnings.length)}\n`);
  return exitCodes.ok;
}

interface CheckArgs {
  readonly help: boolean;
  readonly file: string | undefined;
  /** Why there is no file. */
  readonly fault: string;
}

function parseCheckArgs(args: readonly string[]): CheckArgs {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    const [file, ...more] = positionals;
    const fault = file === undefined ? 'names no file' : 'takes one file';
    return { help: values.help === true, file: more.length === 0 ? file : undefined, fault };
  } catch (error) {
    return { help: false, file: undefined, fault: (error as Error).message };
  }
}

/** `3 backends, listening on 127.0.0.1:8700, 1 warning`. */
function summaryOf({ backends, listen }: Config, warnings: number): string {
  const parts = [counted(Object.keys(backends).length, 'backend'), `listening on ${listen.join(' and ')}`];
  if (warnings > 0) parts.push(counted(warnings, 'warning'));
  return parts.join(', ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
