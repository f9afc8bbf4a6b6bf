/** Finds the environment of a program in a docker-compose file. Knows its services and `${NAME}`, not what the variables mean. */
import type { ForeignEntry, ForeignMap, ForeignValue } from './foreign-value.ts';
import type { Draft } from './draft.ts';

export interface ComposeSearch {
  /** Variables by which a service is known to be one of those looked for. */
  readonly names: readonly string[];
  /** What `${NAME}` stands for. */
  readonly variables: ForeignMap | undefined;
  readonly draft: Draft;
}

/**
 * The environments of all services that set one of the variables, or the one at the top of the file. Fails the draft when
 * there is none.
 */
export function findComposeEnvironment(compose: ForeignMap, search: ComposeSearch): ForeignMap[] {
  const services = compose.entries.get('services')?.value;
  const places =
    services?.kind === 'map' ? [...services.entries.values()] : [{ value: compose, at: compose.at }];
  const found = places.flatMap(({ value }) => {
    const environment = environmentOf(value, search);
    if (environment === undefined) return [];
    return search.names.some((name) => environment.entries.has(name)) ? [environment] : [];
  });
  if (found.length === 0) {
    search.draft.fail(
      compose.at,
      '',
      `no service has an environment with ${search.names[0] ?? ''} or another variable of it`,
    );
  }
  return found;
}

function environmentOf(service: ForeignValue, search: ComposeSearch): ForeignMap | undefined {
  if (service.kind !== 'map') return undefined;
  const environment = service.entries.get('environment')?.value;
  if (environment === undefined) return undefined;
  const written = environment.kind === 'map' ? [...environment.entries] : pairsIn(environment);
  const entries = written.map(
    ([name, entry]) => [name, { at: entry.at, value: filled(name, entry.value, search) }] as const,
  );
  return { kind: 'map', entries: new Map(entries), at: environment.at };
}

/** `NAME=value` items; `NAME` alone takes its value from where compose runs. */
function pairsIn(list: ForeignValue): [string, ForeignEntry][] {
  if (list.kind !== 'list') return [];
  return list.items.flatMap((item): [string, ForeignEntry][] => {
    if (item.kind !== 'scalar' || item.value === null) return [];
    const text = String(item.value);
    const at = text.indexOf('=');
    const name = (at < 0 ? text : text.slice(0, at)).trim();
    const value = at < 0 ? `\${${name}}` : text.slice(at + 1);
    return [[name, { at: item.at, value: { kind: 'scalar', value, at: item.at } }]];
  });
}

/** Puts values in place of `$NAME`, `${NAME}` and `${NAME:-default}`; tells what has none. */
function filled(name: string, value: ForeignValue, { variables, draft }: ComposeSearch): ForeignValue {
  if (value.kind !== 'scalar' || typeof value.value !== 'string') return value;
  const pattern = /\$\$|\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|([A-Za-z_]\w*))/g;
  let isWhole = true;
  const text = value.value.replaceAll(
    pattern,
    (match: string, braced: string | undefined, byDefault: string | undefined, bare: string | undefined) => {
      if (match === '$$') return '$';
      const variable = braced ?? bare ?? '';
      const known = variables?.entries.get(variable)?.value;
      if (known?.kind === 'scalar') return String(known.value);
      if (byDefault !== undefined) return byDefault;
      isWhole = false;
      draft.note(
        name,
        value.at,
        `\${${variable}} has no value here: give the file that sets it with --env-file`,
      );
      return '';
    },
  );
  // Compose would take an empty text; the default of the program is nearer to what is meant.
  return isWhole ? { ...value, value: text } : { ...value, value: null };
}
