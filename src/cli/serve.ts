/** `llamero serve`: from a configuration file, or from the engines found on this machine, to a running router. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { App } from '../app.ts';
import { loadConfigText, readConfigFile, type LoadResult } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import { watchFiles } from '../config/watch.ts';
import { discoverEngines } from '../engines/discovery.ts';
import { engineKinds } from '../engines/kinds/index.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import type { LongRunningIo } from './io.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { version } from './version.ts';

const usage = `Usage: llamero serve [--config FILE] [--listen ADDR]... [--watch]

  --config FILE   configuration; default: llamero.yaml or config.yaml in this folder, else engines found on this machine
  --listen ADDR   HOST:PORT to serve on, may be repeated; replaces \`listen\` of the file
  --watch         take over changes of the file as they happen (SIGHUP always does)
`;

/** Looked for in the working folder, first match wins. */
const defaultFiles = ['llamero.yaml', 'llamero.yml', 'config.yaml', 'config.yml'];
const watchIntervalMs = 2000;

interface ServeArgs {
  readonly config: string | undefined;
  readonly listen: readonly string[] | undefined;
  readonly watch: boolean;
}

/** A loaded configuration and, if it came from a file, how to read that again. */
interface Source {
  readonly loaded: LoadResult;
  readonly file: string | undefined;
  readonly read: (() => Promise<LoadResult>) | undefined;
}

export async function runServe(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const parsed = parseServeArgs(args);
  if (typeof parsed === 'string') {
    if (parsed === '') io.stdout(usage);
    else io.stderr(`llamero serve: ${parsed}\n${usage}`);
    return parsed === '' ? exitCodes.ok : exitCodes.usage;
  }
  const source = await findSource(parsed, io);
  if (source === undefined) return exitCodes.unavailable;
  const { loaded, file, read } = source;
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
    return loaded.unreadable ? exitCodes.noInput : exitCodes.config;
  }
  for (const warning of loaded.warnings) io.stderr(`${formatProblem(warning)} (warning)\n`);
  const app = new App({
    config: loaded.config,
    version,
    terminal: io.stderrIsTty,
    ...(file === undefined || read === undefined ? {} : { source: { file, read } }),
  });
  const watcher =
    parsed.watch && file !== undefined
      ? watchFiles({
          files: [resolve(io.cwd, file)],
          intervalMs: watchIntervalMs,
          onChange: () => void app.reload(),
        })
      : undefined;
  try {
    return await runUntilStopped(app, io);
  } finally {
    watcher?.close();
  }
}

/** An empty string asks for help, another one says what is wrong. */
function parseServeArgs(args: readonly string[]): ServeArgs | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', short: 'c' },
        listen: { type: 'string', short: 'l', multiple: true },
        watch: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return '';
    return { config: values.config, listen: values.listen, watch: values.watch };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function findSource(args: ServeArgs, io: LongRunningIo): Promise<Source | undefined> {
  const file = args.config ?? (await firstExisting(io.cwd));
  const listen = args.listen === undefined ? {} : { listen: args.listen };
  if (file === undefined) return discoverSource(listen, io);
  const read = () => readConfigFile({ file: resolve(io.cwd, file), shownAs: file, env: io.env, ...listen });
  return { loaded: await read(), file, read };
}

async function firstExisting(cwd: string): Promise<string | undefined> {
  for (const name of defaultFiles) {
    const exists = await access(resolve(cwd, name)).then(
      () => true,
      () => false,
    );
    if (exists) return name;
  }
  return undefined;
}

/** Says what was found, or what to do when nothing was. */
async function discoverSource(
  listen: { readonly listen?: readonly string[] },
  io: LongRunningIo,
): Promise<Source | undefined> {
  io.stderr('No configuration file here, looking for engines on this machine …\n');
  const found = await discoverEngines();
  if (found.length === 0) {
    const ports = Object.values(engineKinds).flatMap(({ title, port }) =>
      port === undefined ? [] : [`  ${title.padEnd(18)} http://127.0.0.1:${port}`],
    );
    io.stderr(
      `No engine answers at its usual address:\n${ports.join('\n')}\n\n` +
        'Start one of them, or write a llamero.yaml:\n\n' +
        'backends:\n  gpu-box:\n    url: http://192.0.2.10:8080\n\n' +
        'To see Llamero at work without any engine: llamero demo\n',
    );
    return undefined;
  }
  for (const { id, url, kind, models } of found) {
    io.stderr(
      `Found ${kind.title} at ${url} as '${id}': ${models.length === 0 ? 'no models' : models.join(', ')}\n`,
    );
  }
  const backends = Object.fromEntries(found.map(({ id, url, kind }) => [id, { url, engine: kind.name }]));
  const loaded = loadConfigText({
    file: 'discovery',
    env: {},
    text: JSON.stringify({ backends }),
    ...listen,
  });
  return { loaded, file: undefined, read: undefined };
}
