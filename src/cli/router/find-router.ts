/** Where the router is that a command talks to, and the key for it: from the flags, the configuration and the environment. */
import { formatProblem } from '../../config/problems.ts';
import { parseListenAddress } from '../../config/listen-address.ts';
import { loadConfigText } from '../../config/load.ts';
import { readConfigFiles } from '../../config/read-files.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { findConfigFiles } from '../find-config.ts';
import type { CliIo } from '../io.ts';
import type { RouterFlags } from './router-flags.ts';

/** It cannot be known where the router is, or what to show it; `exitCode` is for the shell. */
export class RouterUnknown extends Error {
  override readonly name = 'RouterUnknown';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

const keyEnvDefault = 'LLAMERO_API_KEY';

/** The first address that `serve` would listen on with the same flags in the same folder. Throws RouterUnknown. */
export async function findRouterUrl(flags: Omit<RouterFlags, 'keyEnv'>, io: CliIo): Promise<URL> {
  if (flags.url !== undefined) return flags.url;
  const files = await findConfigFiles(flags, io.cwd);
  const loaded =
    files === undefined
      ? loadConfigText({ file: 'defaults', env: {}, text: '{}' })
      : await readConfigFiles(files, { cwd: io.cwd, env: io.env });
  if (!loaded.ok) {
    const problems = loaded.problems.map(formatProblem).join('\n');
    throw new RouterUnknown(
      `${problems}\nThe configuration does not tell where the router is: use --url`,
      loaded.unreadable ? exitCodes.noInput : exitCodes.config,
    );
  }
  const { listen, tls } = loaded.config;
  return urlOf(listen[0] ?? '', tls === undefined ? 'http' : 'https');
}

/** undefined = none is set. Throws RouterUnknown. */
export function findKey({ keyEnv }: Pick<RouterFlags, 'keyEnv'>, env: CliIo['env']): string | undefined {
  const key = env[keyEnv ?? keyEnvDefault];
  if (key !== undefined && key !== '') return key;
  if (keyEnv === undefined) return undefined;
  throw new RouterUnknown(`The environment variable ${keyEnv} (--key-env) is not set`, exitCodes.usage);
}

/** Of all interfaces, the one that is on this machine. */
function urlOf(listen: string, scheme: 'http' | 'https'): URL {
  const { host, port } = parseListenAddress(listen);
  if (port === 0) {
    throw new RouterUnknown('The configuration listens on any free port: use --url', exitCodes.usage);
  }
  const name = host === '' || host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return new URL(`${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}/`);
}
