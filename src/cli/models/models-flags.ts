/** The command line of `llamero models`. Reads arguments only; what they mean for a router is found out elsewhere. */
import { parseArgs } from 'node:util';
import { parseRouterFlags, routerOptions, type RouterFlags } from '../router/router-flags.ts';

/** What `create` makes a model of. */
export interface Recipe {
  /** Another model. */
  readonly from: string | undefined;
  /** Paths of files with weights, and of adapters to them. */
  readonly files: readonly string[];
  readonly adapters: readonly string[];
  readonly system: string | undefined;
  readonly template: string | undefined;
  readonly quantize: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface ModelsFlags extends RouterFlags {
  readonly verb: ModelsVerb;
  /** Models, in the order of the command line. */
  readonly names: readonly string[];
  /** undefined = those that the router manages. */
  readonly backends: readonly string[] | undefined;
  /** Tell what would happen in place of doing it. */
  readonly plan: boolean;
  readonly json: boolean;
  readonly recipe: Recipe;
}

interface Takes {
  /** Fewest and most names. */
  readonly names: readonly [number, number];
  readonly options: readonly Option[];
}

const one = { type: 'string' } as const;
const many = { type: 'string', multiple: true } as const;
const recipeOptions = {
  from: one,
  file: many,
  adapter: many,
  system: one,
  template: one,
  parameter: many,
  quantize: one,
} as const;
const verbOptions = { backends: many, plan: { type: 'boolean' }, ...recipeOptions } as const;
type Option = keyof typeof verbOptions;

const change: readonly Option[] = ['backends', 'plan'];
const verbs = {
  list: { names: [0, 0], options: [] },
  ps: { names: [0, 0], options: [] },
  load: { names: [1, 1], options: ['plan'] },
  unload: { names: [0, 1], options: ['plan'] },
  pull: { names: [1, 1], options: change },
  push: { names: [1, 1], options: change },
  copy: { names: [2, 2], options: change },
  delete: { names: [1, 1], options: change },
  create: { names: [1, 1], options: [...change, ...(Object.keys(recipeOptions) as Option[])] },
} as const satisfies Readonly<Record<string, Takes>>;

export type ModelsVerb = keyof typeof verbs;

/** undefined = help is wanted. @throws Error that says what is wrong. */
export function parseModelsFlags(args: readonly string[]): ModelsFlags | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: {
      ...routerOptions,
      ...verbOptions,
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return undefined;
  const [verb = 'list', ...names] = positionals;
  if (!isVerb(verb)) throw new Error(`knows no '${verb}'`);
  checkTaken(verb, names, values);
  const { from, system, template, quantize } = values;
  const recipe: Recipe = {
    from,
    system,
    template,
    quantize,
    files: values.file ?? [],
    adapters: values.adapter ?? [],
    parameters: parseParameters(values.parameter ?? []),
  };
  if (verb === 'create' && from === undefined && recipe.files.length === 0) {
    throw new Error('create takes --from MODEL or --file PATH');
  }
  return {
    ...parseRouterFlags(values),
    verb,
    names,
    backends: parseBackends(values.backends),
    plan: values.plan ?? false,
    json: values.json,
    recipe,
  };
}

function isVerb(text: string): text is ModelsVerb {
  return Object.hasOwn(verbs, text);
}

/** @throws Error */
function checkTaken(verb: ModelsVerb, names: readonly string[], values: object): void {
  const takes: Takes = verbs[verb];
  const [fewest, most] = takes.names;
  if (names.length < fewest || names.length > most || names.includes('')) {
    const counts = ['no name', 'one name', 'two names'];
    throw new Error(`${verb} takes ${fewest === most ? counts[most] : 'one name or none'}`);
  }
  for (const option of Object.keys(verbOptions) as Option[]) {
    if (Object.hasOwn(values, option) && !takes.options.includes(option)) {
      throw new Error(`${verb} takes no --${option}`);
    }
  }
}

/** Said once with commas, or several times. @throws Error */
function parseBackends(values: readonly string[] | undefined): readonly string[] | undefined {
  const names = values?.flatMap((value) => value.split(',').map((part) => part.trim()));
  if (names?.includes('') === true) throw new Error('--backends must be names with commas between them');
  return names;
}

/** `num_ctx=8192` is a number, `stop=END` a text; one that is said several times is a list. @throws Error */
function parseParameters(values: readonly string[]): Readonly<Record<string, unknown>> {
  const parameters = new Map<string, unknown[]>();
  for (const value of values) {
    const at = value.indexOf('=');
    if (at < 1) throw new Error(`--parameter must be like num_ctx=8192, is '${value}'`);
    const name = value.slice(0, at);
    const said = parameters.get(name) ?? [];
    parameters.set(name, said);
    said.push(parseValue(value.slice(at + 1)));
  }
  return Object.fromEntries(Array.from(parameters, ([name, all]) => [name, all.length === 1 ? all[0] : all]));
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
