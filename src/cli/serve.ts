/** `llamero serve`: from a configuration file, or from the engines found on this machine, to a running router. */
import { resolve } from 'node:path';
import { App } from '../app.ts';
import type { LoadOptions, LoadResult } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import { readConfigFiles, type ConfigFiles } from '../config/read-files.ts';
import type { Config } from '../config/schema.ts';
import { watchFiles } from '../config/watch.ts';
import { discoverEngines } from '../engines/discovery.ts';
import { configOfFound } from './discovered-config.ts';
import { discoveryText } from './discovery-text.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { findConfigFiles, nameOfFiles } from './find-config.ts';
import type { LongRunningIo } from './io.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { parseServeFlags, type ServeFlags } from './serve-flags.ts';
import { version } from './version.ts';

const usage = `Usage: llamero serve [--config FILE] [--config-dir DIR] [--listen ADDR]... [--watch]

  --config FILE      configuration; default: llamero.yaml or config.yaml in this folder, else engines found on this machine
  --config-dir DIR   every .yaml and .yml file in a folder, joined, after that of --config
  --listen ADDR      HOST:PORT to serve on, may be repeated; replaces \`listen\` of the file
  --tls-cert-file FILE, --tls-key-file FILE
                     serve HTTPS; replaces \`tls\` of the file
  --watch            take over changes of the files as they happen (SIGHUP always does)

llamero takes llama-swap's flags as well: -config, -config-dir, -listen, -watch-config, -version,
-tls-cert-file, -tls-key-file.
`;

const watchIntervalMs = 2000;

/** A loaded configuration and, if it came from a file, how to read that again. */
interface Source {
  readonly loaded: LoadResult;
  readonly files: ConfigFiles;
  /** With what is in force, so that running models keep their ports. */
  readonly read: ((inForce?: Config) => Promise<LoadResult>) | undefined;
}

export async function runServe(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const flags = tryParseFlags(args, io);
  if (flags === undefined) return exitCodes.usage;
  if (flags.help || flags.version) {
    io.stdout(flags.help ? usage : `llamero ${version}\n`);
    return exitCodes.ok;
  }
  const source = await findSource(flags, io);
  if (source === undefined) return exitCodes.unavailable;
  const { loaded, files, read } = source;
  for (const warning of loaded.warnings) io.stderr(`${formatProblem(warning)} (warning)\n`);
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
    return loaded.unreadable ? exitCodes.noInput : exitCodes.config;
  }
  const app = new App({
    config: loaded.config,
    version,
    terminal: io.stderrIsTty,
    env: io.env,
    ...(read === undefined ? {} : { source: { file: nameOfFiles(files), read } }),
  });
  const watcher =
    flags.watch && read !== undefined
      ? watchFiles({
          files: files.file === undefined ? [] : [resolve(io.cwd, files.file)],
          folders: files.folder === undefined ? [] : [resolve(io.cwd, files.folder)],
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

/** Says what is wrong with the arguments. */
function tryParseFlags(args: readonly string[], io: LongRunningIo): ServeFlags | undefined {
  try {
    return parseServeFlags(args);
  } catch (error) {
    io.stderr(`llamero serve: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

async function findSource(flags: ServeFlags, io: LongRunningIo): Promise<Source | undefined> {
  const files = await findConfigFiles(flags, io.cwd);
  const inPlace = { ...(flags.listen && { listen: flags.listen }), ...(flags.tls && { tls: flags.tls }) };
  if (files === undefined) return discoverSource(inPlace, io);
  const read = (inForce?: Config): Promise<LoadResult> =>
    readConfigFiles(files, {
      cwd: io.cwd,
      env: io.env,
      ...inPlace,
      ...(inForce === undefined ? {} : { inForce }),
    });
  return { loaded: await read(), files, read };
}

/** Says what was found, or what to do when nothing was. */
async function discoverSource(
  inPlace: Pick<LoadOptions, 'listen' | 'tls'>,
  io: LongRunningIo,
): Promise<Source | undefined> {
  io.stderr('No configuration file here, looking for engines on this machine …\n');
  const found = await discoverEngines();
  io.stderr(discoveryText(found));
  if (found.length === 0) return undefined;
  return { loaded: configOfFound(found, inPlace), files: {}, read: undefined };
}
