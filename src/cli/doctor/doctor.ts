/** `llamero doctor`: looks at the configuration, this machine and every server it names, and says what to change. Changes nothing. */
import { parseArgs } from 'node:util';
import { systemClock } from '../../base/clock.ts';
import type { LoadResult } from '../../config/load.ts';
import { readConfigFiles } from '../../config/read-files.ts';
import { discoverEngines } from '../../engines/discovery.ts';
import { configOfFound } from '../discovered-config.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { findConfigFiles, nameOfFiles, type NamedConfig } from '../find-config.ts';
import type { LongRunningIo } from '../io.ts';
import { ansiPaint, plainPaint } from '../top/paint.ts';
import { version } from '../version.ts';
import { allChecks, type Configuration } from './all-checks.ts';
import { countLevels, renderJson, renderText } from './render-report.ts';
import { runChecks } from './run-checks.ts';

const usage = `Usage: llamero doctor [--config FILE] [--config-dir DIR] [--json]

  --config FILE, --config-dir DIR
                     configuration to look at, as for serve; without any, the engines found on this machine
  --json             print one JSON object (docs/doctor.md)

Looks at the configuration, this machine, its GPU tools, the commands of models, and every backend, monitor and peer.
Starts, loads and changes nothing; a router may run meanwhile.

Exit status: 0 no error found, 1 at least one, 64 wrong command line.
`;

/** For each check. Four questions one after the other to a server that leaves each one waiting. */
const checkMsMax = 25_000;

export async function runDoctor(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const flags = tryParseFlags(args, io);
  if (flags === undefined) return exitCodes.usage;
  if (flags.help) {
    io.stdout(usage);
    return exitCodes.ok;
  }
  const { env, cwd } = io;
  const checks = allChecks(await findConfiguration(flags, io), {
    env,
    cwd,
    platform: process.platform,
    nodeVersion: process.versions.node,
    clock: systemClock,
  });
  const results = await runChecks(checks, checkMsMax);
  const { NO_COLOR: noColor } = env;
  const paint = io.terminal === undefined || (noColor ?? '') !== '' ? plainPaint : ansiPaint;
  io.stdout(flags.json ? renderJson(results, version) : renderText(results, paint));
  return countLevels(results).error > 0 ? exitCodes.found : exitCodes.ok;
}

async function findConfiguration(named: NamedConfig, { cwd, env }: LongRunningIo): Promise<Configuration> {
  const files = await findConfigFiles(named, cwd);
  if (files === undefined) {
    const found = await discoverEngines();
    const source = 'no configuration file here, engines found on this machine';
    return { source, loaded: found.length === 0 ? nothingFound : configOfFound(found) };
  }
  return { source: nameOfFiles(files), loaded: await readConfigFiles(files, { cwd, env }) };
}

/** What `serve` would say, too. */
const nothingFound: LoadResult = {
  ok: false,
  unreadable: true,
  warnings: [],
  problems: [
    {
      file: 'no configuration file here,',
      line: 0,
      column: 0,
      path: '',
      message: 'and no engine answers at its usual port',
      code: 'config_reference',
    },
  ],
};

interface DoctorFlags extends NamedConfig {
  readonly json: boolean;
  readonly help: boolean;
}

const options = {
  config: { type: 'string', short: 'c' },
  'config-dir': { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Says what is wrong with the arguments. */
function tryParseFlags(args: readonly string[], io: LongRunningIo): DoctorFlags | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options });
    return { ...values, config: values.config, configDir: values['config-dir'] };
  } catch (error) {
    io.stderr(`llamero doctor: ${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}
