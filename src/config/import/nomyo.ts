/** From the YAML file of nomyo-router to a configuration of Llamero. Pure. */
import { shownText } from '../problems.ts';
import { Draft } from './draft.ts';
import type { ImportResult } from './draft.ts';
import type { Setting } from './foreign-key.ts';
import { readEnvFile, readForeignMap } from './foreign-value.ts';
import type { ForeignMap, ForeignText, ForeignValue } from './foreign-value.ts';
import {
  BackendNames,
  setListen,
  textOfUrl,
  tryListenText,
  tryBackendUrl,
  tryWithoutV1,
  usableBackends,
} from './import-backends.ts';
import { withEnvironment } from './merge-environment.ts';
import { writeNomyoCache } from './nomyo-cache.ts';
import { nomyoEnvKeys, nomyoFileKeys, noNomyoState } from './nomyo-keys.ts';
import type { NomyoState } from './nomyo-keys.ts';
import { namesOf, readKeys } from './read-keys.ts';
import { tryDurationText, tryText } from './read-setting.ts';

export interface NomyoInput {
  readonly main: ForeignText;
  /** Variables of its program, and those that `${NAME}` in the file stands for. */
  readonly env?: ForeignText | undefined;
}

interface Endpoint {
  readonly from: Setting;
  /** As it was written: what other keys call it. */
  readonly written: string;
  readonly url: URL;
  readonly engine: 'ollama' | 'openai' | 'llamacpp';
}

/** Where it listens when nobody says. */
const hostUsual = '0.0.0.0';
const portUsual = 12_434;
const ttlUsual = '5m';

/** Never throws. */
export function importNomyo({ main, env }: NomyoInput): ImportResult {
  const file = readForeignMap(main);
  if (!file.ok) return file;
  const variables = env === undefined ? undefined : readEnvFile(env);
  if (variables?.ok === false) return variables;
  const draft = new Draft([
    `Made from ${main.file} of nomyo-router by \`llamero import nomyo\`.`,
    'Each comment says where a value comes from.',
  ]);
  const state = noNomyoState();
  const names = nomyoFileKeys.filter(({ name }) => name !== 'db_path').map(({ name }) => name);
  const rules = { prefix: 'NOMYO_ROUTER_', names, wins: 'file' } as const;
  const merged = withEnvironment(file.map, variables?.map, rules);
  const expanded = expandVariables(merged, variables?.map, draft);
  readKeys(expanded, { keys: nomyoFileKeys, state, draft });
  if (variables !== undefined) {
    readKeys(variables.map, { keys: nomyoEnvKeys, state, draft }, 'ignored');
  }
  write(state, draft);
  return draft.result();
}

function write(state: NomyoState, draft: Draft): void {
  const routerKey = nameRouterKey(state, draft);
  const listen = writeListen(state, routerKey === undefined, draft);
  if (routerKey !== undefined) {
    draft.setSecret(['apiKeys'], [routerKey.variable], `from ${routerKey.key}: set the variable to the key`);
  }
  writeBackends(state, listen, draft);
  draft.set(
    ['scheduling', 'preset'],
    state.priority === undefined ? 'nomyo' : 'nomyo-priority',
    state.priority === undefined
      ? 'loaded and free, then free, then least busy; nobody waits here; other presets are in docs/policies.md'
      : `from ${state.priority}: by share of the slots in use, then by order`,
  );
  writeAffinity(state, draft);
  writeNomyoCache(state.cache, draft);
}

function nameRouterKey(
  { routerKey, keyByUrl }: NomyoState,
  draft: Draft,
): { readonly variable: string; readonly key: string } | undefined {
  // Names that the file gives are taken before any is made up.
  for (const setting of keyByUrl.values()) {
    const name = variableIn(setting);
    if (name !== undefined) draft.useVariable(name, `key named in ${setting.key}`);
  }
  if (routerKey === undefined) return undefined;
  const text = tryText(routerKey, draft);
  if (text === undefined || text === '') return undefined;
  const own = variableIn(routerKey);
  const variable =
    own === undefined
      ? draft.nameVariable('NOMYO_ROUTER_API_KEY', `key of clients, ${routerKey.key} there`)
      : draft.useVariable(own, `key of clients, ${routerKey.key} there`);
  return { variable, key: routerKey.key };
}

function writeListen({ host, port }: NomyoState, isOpen: boolean, draft: Draft): string {
  const portNumber = port?.number ?? portUsual;
  const address = tryListenText(host?.text ?? hostUsual, portNumber);
  const keys = [host?.key, port?.key].filter((key) => key !== undefined);
  const listen = address ?? `${hostUsual}:${portNumber}`;
  const comment =
    address === undefined
      ? 'the usual address of nomyo-router: UVICORN_HOST is none that can be listened on'
      : keys.length === 0
        ? 'the usual address of nomyo-router'
        : `from ${keys.join(' and ')}`;
  setListen(draft, { address: listen, comment, isOpen });
  return listen;
}

function writeBackends(state: NomyoState, listen: string, draft: Draft): void {
  const names = new BackendNames();
  const endpoints = usableBackends(findEndpoints(state, draft), listen, draft);
  const written = new Set(endpoints.map((endpoint) => endpoint.written));
  for (const endpoint of endpoints) {
    const name = names.nameFor(endpoint.url);
    const path = ['backends', name];
    draft.set([...path, 'url'], textOfUrl(endpoint.url), `from ${endpoint.from.key}`);
    draft.set([...path, 'engine'], endpoint.engine);
    const own = state.limitByUrl.get(endpoint.written);
    const origin =
      own?.setting.key ?? state.limit?.key ?? 'the usual max_concurrent_connections of nomyo-router';
    draft.set([...path, 'slotsPerModel'], own?.count ?? state.limit?.count ?? 1, `from ${origin}`);
    writeKey(endpoint, { name, path, state, draft });
  }
  for (const [url, { setting }] of state.limitByUrl) {
    if (!written.has(url))
      draft.note(setting.key, setting.at, 'its endpoint is no backend here', setting.value);
  }
  for (const [url, setting] of state.keyByUrl) {
    if (!written.has(url)) draft.note(setting.key, setting.at, 'its endpoint is no backend here');
  }
}

function writeKey(
  endpoint: Endpoint,
  {
    name,
    path,
    state,
    draft,
  }: {
    readonly name: string;
    readonly path: readonly string[];
    readonly state: NomyoState;
    readonly draft: Draft;
  },
): void {
  const setting = state.keyByUrl.get(endpoint.written);
  const text = setting === undefined ? undefined : tryText(setting, draft);
  if (setting === undefined || text === undefined || text === '') return;
  if (endpoint.engine === 'ollama') {
    const why = `nomyo-router never sent it to an Ollama; if one wants it, set backends.${name}.apiKey`;
    return draft.note(setting.key, setting.at, why);
  }
  const purpose = `key for ${textOfUrl(endpoint.url)}`;
  const own = variableIn(setting);
  const variable =
    own === undefined ? draft.nameVariable(`${name}_API_KEY`, purpose) : draft.useVariable(own, purpose);
  draft.setSecret([...path, 'apiKey'], variable, `from ${setting.key}: set the variable to the key`);
}

/** llama-servers first: what is listed as one is one, wherever else it is listed. */
function findEndpoints(state: NomyoState, draft: Draft): Endpoint[] {
  const usual = 'http://localhost:11434';
  const at = { file: '', line: 0, column: 0 };
  const listed = state.endpoints ?? [
    { key: 'the usual endpoints of nomyo-router', at, value: { kind: 'scalar', value: usual, at } } as const,
  ];
  const texts = new Set(listed.map(({ value }) => (value.kind === 'scalar' ? value.value : undefined)));
  const llamaTexts = new Set(
    state.llamaServers.map(({ value }) => (value.kind === 'scalar' ? value.value : undefined)),
  );
  const found = listed.flatMap((from): Endpoint[] => {
    const written = textOf(from, draft);
    if (written === undefined || llamaTexts.has(written)) return [];
    const url = tryBackendUrl(from, written, draft);
    if (url === undefined) return [];
    if (!written.includes('/v1')) return [{ from, written, url, engine: 'ollama' }];
    const base = tryWithoutV1(url);
    if (base === undefined) {
      draft.note(
        from.key,
        from.at,
        'Llamero asks for /v1/… below the URL of a backend, which leads nowhere here',
      );
      return [];
    }
    const isOllama = written.includes(':11434') || texts.has(written.replace('/v1', ''));
    return [{ from, written, url: base, engine: isOllama ? 'ollama' : 'openai' }];
  });
  const llama = state.llamaServers.flatMap((from): Endpoint[] => {
    const written = textOf(from, draft);
    const url = written === undefined ? undefined : tryBackendUrl(from, written, draft);
    if (written === undefined || url === undefined) return [];
    return [{ from, written, url: tryWithoutV1(url) ?? url, engine: 'llamacpp' }];
  });
  return [...found, ...llama];
}

function writeAffinity({ affinity, affinityTtl }: NomyoState, draft: Draft): void {
  if (affinity === undefined) {
    draft.set(
      ['affinity', 'session', 'enabled'],
      false,
      'conversation_affinity is off; here it is on by default, and worth a try',
    );
    if (affinityTtl !== undefined) {
      const { key, at, value } = affinityTtl.setting;
      draft.note(key, at, 'without effect: conversation_affinity is off', value);
    }
    return;
  }
  draft.set(['affinity', 'session', 'enabled'], true, `from ${affinity}`);
  const text = affinityTtl === undefined ? ttlUsual : tryDurationText(affinityTtl.seconds);
  if (affinityTtl !== undefined && text === undefined) {
    const { key, at, value } = affinityTtl.setting;
    draft.note(key, at, 'must be more than 0 and at most 24 days', value);
  }
  const comment =
    affinityTtl === undefined || text === undefined
      ? 'the usual conversation_affinity_ttl of nomyo-router'
      : `from ${affinityTtl.setting.key}`;
  draft.set(['affinity', 'session', 'ttl'], text ?? ttlUsual, comment);
}

/** nomyo-router fills in a variable only where a text is nothing else. */
function variableIn({ value }: Setting): string | undefined {
  const text = value.kind === 'scalar' ? String(value.value) : '';
  return /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(text)?.[1];
}

function textOf(setting: Setting, draft: Draft): string | undefined {
  // Emptied by a variable without a value, which has been told.
  if (setting.value.kind === 'scalar' && setting.value.value === null) return undefined;
  return tryText(setting, draft);
}

/** Puts values in place of variables, except where keys are named. */
function expandVariables(map: ForeignMap, variables: ForeignMap | undefined, draft: Draft): ForeignMap {
  const secrets = new Set(
    nomyoFileKeys.filter(({ isSecret }) => isSecret === true).flatMap((key) => namesOf(key)),
  );
  const expand = (key: string, value: ForeignValue): ForeignValue => {
    if (value.kind === 'list') return { ...value, items: value.items.map((item) => expand(key, item)) };
    if (value.kind === 'map') {
      const entries = [...value.entries].map(
        ([name, entry]) => [name, { ...entry, value: expand(key, entry.value) }] as const,
      );
      return { ...value, entries: new Map(entries) };
    }
    const name = variableIn({ key, value, at: value.at });
    if (name === undefined) return value;
    const known = variables?.entries.get(name)?.value;
    if (known?.kind === 'scalar') return { ...value, value: known.value };
    draft.note(
      key,
      value.at,
      `\${${shownText(name)}} has no value here: give the file that sets it with --env-file`,
    );
    return { ...value, value: null };
  };
  const entries = [...map.entries].map(([key, entry]) => {
    const value = secrets.has(key) ? entry.value : expand(key, entry.value);
    return [key, { ...entry, value }] as const;
  });
  return { ...map, entries: new Map(entries) };
}
