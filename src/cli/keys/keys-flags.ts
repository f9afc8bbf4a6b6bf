/** The command line of `llamero keys`. Reads arguments only; what they mean is keys.ts's. */
import { parseArgs } from 'node:util';
import { parseKeyConfig, type KeyConfig } from '../../config/schema-keys.ts';

export type KeysVerb = 'add' | 'list' | 'revoke';

export interface KeysFlags {
  readonly verb: KeysVerb;
  /** '' with `list`. */
  readonly name: string;
  /** The file of keys; undefined = the configuration tells. */
  readonly file: string | undefined;
  readonly config: string | undefined;
  readonly configDir: string | undefined;
  /** Of a key to be added. */
  readonly rules: KeyConfig;
}

const verbs: readonly string[] = ['add', 'list', 'revoke'] satisfies KeysVerb[];
const many = { type: 'string', multiple: true } as const;
const one = { type: 'string' } as const;
const placeOptions = {
  file: one,
  config: one,
  'config-dir': one,
  help: { type: 'boolean', short: 'h' },
} as const;
const ruleOptions = {
  models: many,
  routes: many,
  admin: one,
  priority: one,
  'requests-per-minute': one,
  'tokens-per-minute': one,
  concurrency: one,
  'tokens-per-day': one,
  'tokens-per-month': one,
  expires: one,
} as const;

/** undefined = help is wanted. @throws Error that says what is wrong. */
export function parseKeysFlags(args: readonly string[]): KeysFlags | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { ...placeOptions, ...ruleOptions },
    allowPositionals: true,
  });
  if (values.help === true) return undefined;
  const [verb, name, ...more] = positionals;
  if (!isVerb(verb)) throw new Error(verb === undefined ? 'takes add, list or revoke' : `knows no '${verb}'`);
  const isList = verb === 'list';
  if (more.length > 0 || isList !== (name === undefined)) {
    throw new Error(isList ? 'list takes no name' : `${verb} takes one name`);
  }
  const given = Object.keys(ruleOptions).find((flag) => Object.hasOwn(values, flag));
  if (verb !== 'add' && given !== undefined) throw new Error(`${verb} takes no --${given}`);
  return {
    verb,
    name: name ?? '',
    file: values.file,
    config: values.config,
    configDir: values['config-dir'],
    rules: parseKeyConfig({
      ...listed('models', values.models),
      ...listed('routes', values.routes),
      ...present('admin', values.admin),
      ...counted('priority', values.priority),
      ...counted('requestsPerMinute', values['requests-per-minute']),
      ...counted('tokensPerMinute', values['tokens-per-minute']),
      ...counted('concurrency', values.concurrency),
      ...counted('tokensPerDay', values['tokens-per-day']),
      ...counted('tokensPerMonth', values['tokens-per-month']),
      ...present('expires', values.expires),
    }),
  };
}

function isVerb(text: string | undefined): text is KeysVerb {
  return text !== undefined && verbs.includes(text);
}

function present(member: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [member]: value };
}

/** Said once with commas, or several times. */
function listed(member: string, values: readonly string[] | undefined): Record<string, unknown> {
  return present(
    member,
    values?.flatMap((value) => value.split(',').map((part) => part.trim())),
  );
}

function counted(member: string, value: string | undefined): Record<string, unknown> {
  if (value !== undefined && !/^\d+$/.test(value))
    throw new Error(`${member}: must be a whole number, is '${value}'`);
  return present(member, value === undefined ? undefined : Number(value));
}
