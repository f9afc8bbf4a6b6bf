/**
 * The command line of `llamero serve`. Takes llama-swap's flags as well, written as Go programs take them: `-config FILE`,
 * `-watch-config=false`. Reads arguments only; what they mean is serve.ts's.
 */
import { parseArgs } from 'node:util';

export interface ServeFlags {
  readonly help: boolean;
  readonly version: boolean;
  readonly config: string | undefined;
  readonly configDir: string | undefined;
  readonly listen: readonly string[] | undefined;
  readonly watch: boolean;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

const options = {
  config: { type: 'string', short: 'c' },
  'config-dir': { type: 'string' },
  listen: { type: 'string', short: 'l', multiple: true },
  watch: { type: 'boolean', default: false },
  'watch-config': { type: 'boolean', default: false },
  'tls-cert-file': { type: 'string' },
  'tls-key-file': { type: 'string' },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const truths: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  true: true,
  '0': false,
  f: false,
  false: false,
};

/** Throws an Error that says what is wrong with the arguments. */
export function parseServeFlags(args: readonly string[]): ServeFlags {
  const { values } = parseArgs({ args: toLongForm(args), options });
  const { 'tls-cert-file': cert, 'tls-key-file': key } = values;
  if ((cert === undefined) !== (key === undefined)) {
    throw new Error('--tls-cert-file and --tls-key-file need each other');
  }
  return {
    help: values.help,
    version: values.version,
    config: values.config,
    configDir: values['config-dir'],
    listen: values.listen,
    watch: values.watch || values['watch-config'],
    tls: cert === undefined || key === undefined ? undefined : { cert, key },
  };
}

/** Whether a command line that names no command begins with one of these flags. */
export function isServeFlag(arg: string): boolean {
  return flagOf(arg) !== undefined;
}

/** One dash becomes two before names that are known; a flag with a truth value becomes a flag or nothing. */
function toLongForm(args: readonly string[]): string[] {
  const long: string[] = [];
  let isValue = false;
  for (const arg of args) {
    const flag: Flag | undefined = isValue ? undefined : flagOf(arg);
    long.push(...(flag === undefined ? [arg] : longForm(flag)));
    isValue = flag !== undefined && takesValue(flag.name) && flag.value === undefined;
  }
  return long;
}

function longForm({ name, value }: Flag): string[] {
  const truth = takesValue(name) ? undefined : truths[value?.toLowerCase() ?? 'true'];
  if (truth === undefined) return [value === undefined ? `--${name}` : `--${name}=${value}`];
  return truth ? [`--${name}`] : [];
}

function takesValue(name: Flag['name']): boolean {
  return options[name].type === 'string';
}

interface Flag {
  readonly name: keyof typeof options;
  readonly value: string | undefined;
}

function flagOf(arg: string): Flag | undefined {
  const match = /^--?([a-z][a-z-]+)(?:=([\s\S]*))?$/.exec(arg);
  const name = match?.[1] ?? '';
  return Object.hasOwn(options, name) ? { name: name as keyof typeof options, value: match?.[2] } : undefined;
}
