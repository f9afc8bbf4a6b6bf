/** The command line of `llamero top`. Reads arguments only; what they mean for the router is found out elsewhere. */
import { parseArgs } from 'node:util';
import { durationForm, tryParseDurationMs } from '../../config/values.ts';

export interface TopFlags {
  readonly help: boolean;
  /** undefined = where the configuration says. Ends with a slash. */
  readonly url: URL | undefined;
  readonly config: string | undefined;
  readonly configDir: string | undefined;
  /** Name of the environment variable with the API key; undefined = the usual one, if it is set. */
  readonly keyEnv: string | undefined;
  readonly once: boolean;
  readonly intervalMs: number;
}

const options = {
  url: { type: 'string', short: 'u' },
  config: { type: 'string', short: 'c' },
  'config-dir': { type: 'string' },
  'key-env': { type: 'string' },
  once: { type: 'boolean', default: false },
  interval: { type: 'string', short: 'i', default: '1s' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const intervalMsMin = 100;
const intervalMsMax = 3_600_000;

/** Throws an Error that says what is wrong with the arguments. */
export function parseTopFlags(args: readonly string[]): TopFlags {
  const { values } = parseArgs({ args: [...args], options });
  const { url, config, 'config-dir': configDir, 'key-env': keyEnv } = values;
  if (url !== undefined && (config !== undefined || configDir !== undefined)) {
    throw new Error('--url says where the router is: it takes no --config or --config-dir');
  }
  return {
    help: values.help,
    url: url === undefined ? undefined : parseUrl(url),
    config,
    configDir,
    keyEnv,
    once: values.once,
    intervalMs: parseInterval(values.interval),
  };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error('--url must be like http://127.0.0.1:8700');
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error('--url takes no credentials, others could read them: use --key-env');
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  url.search = '';
  url.hash = '';
  return url;
}

function parseInterval(text: string): number {
  const ms = tryParseDurationMs(text);
  if (ms === undefined) throw new Error(`--interval must be ${durationForm}`);
  if (ms < intervalMsMin || ms > intervalMsMax) throw new Error('--interval must be from 100ms to 1h');
  return ms;
}
