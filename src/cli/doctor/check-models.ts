/** Whether the commands of `models` could start: programs, model files, ports. Starts nothing. */
import { access, constants, open, stat } from 'node:fs/promises';
import { basename, delimiter, isAbsolute, resolve } from 'node:path';
import { isLoopback } from '../../config/listen-address.ts';
import type { ResolvedModel } from '../../config/models.ts';
import { formatPath } from '../../config/problems.ts';
import { reasonOf } from '../../config/read-files.ts';
import { fileArguments, modelParts, runsElsewhere } from '../../process/model-files.ts';
import { splitCommand } from '../../process/split-command.ts';
import { fault, good, type Finding } from './finding.ts';

export interface CommandSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly platform: NodeJS.Platform;
}

type Model = Pick<ResolvedModel, 'id' | 'cmd' | 'cmdStop' | 'env' | 'proxy' | 'port'>;

export async function checkModels(models: Iterable<Model>, around: CommandSurroundings): Promise<Finding[]> {
  const findings = await Promise.all(Array.from(models, (model) => checkModel(model, around)));
  return findings.flat();
}

async function checkModel(model: Model, around: CommandSurroundings): Promise<Finding[]> {
  const split = splitCommand(model.cmd, around.platform);
  if (!split.ok) {
    const saw = `its command cannot be run: ${split.problem}`;
    return [
      fault(model.id, {
        level: 'error',
        saw,
        change: `${formatPath(['models', model.id, 'cmd'])}: the command line`,
      }),
    ];
  }
  const findings = [
    ...(await checkProgram(model, split.words[0], around)),
    ...(await checkFiles(model, split.words, around)),
    ...checkPort(model),
    ...(await checkStop(model, around)),
  ];
  return findings.length === 0 ? [good(model.id, `${basename(split.words[0])} can start it`)] : findings;
}

async function checkProgram(
  { id, env }: Model,
  program: string,
  around: CommandSurroundings,
): Promise<Finding[]> {
  const problem = await programProblem(program, { ...around, env: { ...around.env, ...env } });
  if (problem === undefined) return [];
  return [
    fault(id, {
      level: 'error',
      saw: `${program}: ${problem}`,
      change: `install it, or ${formatPath(['models', id, 'cmd'])}: with the program's whole path`,
    }),
  ];
}

/** undefined = it can be run. Where PATH decides, it is that of the model. Windows has more rules than these; there it is not looked for. */
async function programProblem(
  program: string,
  { env, cwd, platform }: CommandSurroundings,
): Promise<string | undefined> {
  if (platform === 'win32') return undefined;
  if (program.includes('/')) return executableProblem(resolve(cwd, program));
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const problems = await Promise.all(
    folders.map((folder) => executableProblem(resolve(cwd, folder, program))),
  );
  if (problems.includes(undefined)) return undefined;
  return problems.find((problem) => problem !== noSuchFile) ?? 'no such program on PATH';
}

const noSuchFile = reasonOf({ code: 'ENOENT' });

async function executableProblem(file: string): Promise<string | undefined> {
  try {
    if (!(await stat(file)).isFile()) return 'it is not a file';
    await access(file, constants.X_OK);
    return undefined;
  } catch (error) {
    const reason = reasonOf(error);
    return reason === reasonOf({ code: 'EACCES' }) ? 'it is not executable (chmod +x)' : reason;
  }
}

async function checkFiles(
  { id }: Model,
  words: readonly string[],
  { cwd }: CommandSurroundings,
): Promise<Finding[]> {
  if (runsElsewhere(words)) return [];
  const findings: Finding[] = [];
  for (const { option, path } of fileArguments(words)) {
    for (const part of modelParts(path)) {
      const problem = await fileProblem(isAbsolute(part) ? part : resolve(cwd, part));
      if (problem === undefined) continue;
      findings.push(
        fault(id, {
          level: 'error',
          saw: `${option} ${part}: ${problem}`,
          change: changeFor(problem, option),
        }),
      );
    }
  }
  return findings;
}

const notGguf = 'it is no GGUF file';

async function fileProblem(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('latin1', 0, bytesRead) === 'GGUF' ? undefined : notGguf;
  } catch (error) {
    return reasonOf(error);
  }
}

function changeFor(problem: string, option: string): string {
  return problem === notGguf
    ? 'download it again: it may be cut off, or a page that says that it was not found'
    : `correct ${option}, or let the user that runs Llamero read that file`;
}

function checkPort({ id, proxy, port }: Model): Finding[] {
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  if (port !== undefined || url === undefined || !isLoopback(url.hostname.replaceAll(/^\[|\]$/g, '')))
    return [];
  return [
    fault(id, {
      level: 'warning',
      saw: `its command does not name the port of ${proxy}: the two may not meet`,
      change: `${formatPath(['models', id, 'cmd'])}: with --port \${PORT}, and no proxy`,
    }),
  ];
}

async function checkStop(model: Model, around: CommandSurroundings): Promise<Finding[]> {
  if (model.cmdStop === '') return [];
  const split = splitCommand(model.cmdStop, around.platform);
  const problem = split.ok ? await programProblem(split.words[0], around) : split.problem;
  if (problem === undefined) return [];
  return [
    fault(model.id, {
      level: 'warning',
      saw: `cmdStop cannot be run (${problem}), so it is stopped by SIGTERM`,
      change: `correct ${formatPath(['models', model.id, 'cmdStop'])}`,
    }),
  ];
}
