/** The part of a command line that says which router is meant: one description for all commands that talk to one. */
import type { ParseArgsOptionsConfig } from 'node:util';

export interface RouterFlags {
  /** undefined = where the configuration says. Ends with a slash. */
  readonly url: URL | undefined;
  readonly config: string | undefined;
  readonly configDir: string | undefined;
  /** Name of the environment variable with the API key; undefined = the usual one, if it is set. */
  readonly keyEnv: string | undefined;
}

/** For `parseArgs` of node:util. */
export const routerOptions = {
  url: { type: 'string', short: 'u' },
  config: { type: 'string', short: 'c' },
  'config-dir': { type: 'string' },
  'key-env': { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

/** Of a usage text. */
export const routerOptionsHelp = `\
  --url URL          of the router; default: the address that serve would listen on in this folder
  --config FILE, --config-dir DIR
                     configuration that tells the address, as for serve
  --key-env NAME     environment variable that holds an API key; default: LLAMERO_API_KEY
`;

export interface RouterValues {
  readonly url?: string | undefined;
  readonly config?: string | undefined;
  readonly 'config-dir'?: string | undefined;
  readonly 'key-env'?: string | undefined;
}

/** Throws an Error that says what is wrong with them. */
export function parseRouterFlags(values: RouterValues): RouterFlags {
  const { url, config, 'config-dir': configDir, 'key-env': keyEnv } = values;
  if (url !== undefined && (config !== undefined || configDir !== undefined)) {
    throw new Error('--url says where the router is: it takes no --config or --config-dir');
  }
  return { url: url === undefined ? undefined : parseUrl(url), config, configDir, keyEnv };
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
