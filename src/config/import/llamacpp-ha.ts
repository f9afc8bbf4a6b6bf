/** From the JSON file of llamacpp-ha to a configuration of Llamero. Pure. */
import { Draft } from './draft.ts';
import type { ImportResult } from './draft.ts';
import { readEnvFile, readForeignMap } from './foreign-value.ts';
import type { ForeignText } from './foreign-value.ts';
import { BackendNames, setListen, textOfUrl, tryListenText, usableBackends } from './import-backends.ts';
import { llamacppHaKeys } from './llamacpp-ha-keys.ts';
import type { LlamacppHaState } from './llamacpp-ha-keys.ts';
import { withEnvironment } from './merge-environment.ts';
import { namesOf, readKeys } from './read-keys.ts';

const prefix = 'LLAMACPP_HA_';
/** Where Llamero listens when nobody says. */
const hostUsual = '127.0.0.1';
const portUsual = 8700;

export interface LlamacppHaInput {
  readonly main: ForeignText;
  /** Variables `LLAMACPP_HA_<KEY>` win over the file. */
  readonly env?: ForeignText | undefined;
}

/** Never throws. */
export function importLlamacppHa({ main, env }: LlamacppHaInput): ImportResult {
  const draft = new Draft([
    `Made from ${main.file} of llamacpp-ha by \`llamero import llamacpp-ha\`.`,
    'Each comment says where a value comes from.',
  ]);
  const file = readForeignMap(main);
  if (!file.ok) return file;
  const variables = env === undefined ? undefined : readEnvFile(env);
  if (variables?.ok === false) return variables;
  const names = topLevelNames();
  const map = withEnvironment(file.map, variables?.map, { prefix, names, wins: 'environment' });
  const state: LlamacppHaState = {
    host: undefined,
    port: undefined,
    clientKeys: [],
    servers: [],
    hasAffinityBonus: false,
    skipsFrom: undefined,
  };
  readKeys(map, { keys: llamacppHaKeys, state, draft });
  const listen = writeListen(state, draft);
  writeClientKeys(state, draft);
  writeServers(state, listen, draft);
  writeBonusOfSkips(state, draft);
  draft.set(
    ['scheduling', 'preset'],
    'llamacpp-ha',
    'first in, first out, and turns per model; other presets are in docs/policies.md',
  );
  return draft.result();
}

function topLevelNames(): string[] {
  return llamacppHaKeys.flatMap(namesOf).filter((name) => !name.includes('['));
}

function writeListen({ host, port, clientKeys }: LlamacppHaState, draft: Draft): string {
  const address = tryListenText(host?.text ?? hostUsual, port?.number ?? portUsual);
  const usual = `${hostUsual}:${portUsual}`;
  const keys = [host?.key, port?.key].filter((key) => key !== undefined);
  if (keys.length === 0) return usual;
  const comment =
    address === undefined
      ? `${keys.join(' and ')} are no address to listen on: this is the usual one`
      : `from ${keys.join(' and ')}`;
  setListen(draft, { address: address ?? usual, comment, isOpen: clientKeys.length === 0 });
  return address ?? usual;
}

function writeClientKeys({ clientKeys }: LlamacppHaState, draft: Draft): void {
  if (clientKeys.length === 0) return;
  const variables = clientKeys.map(({ key }) =>
    draft.nameVariable('LLAMERO_API_KEY', `key of clients, ${key} there`),
  );
  draft.setSecret(
    ['apiKeys'],
    variables,
    `from ${clientKeys[0]?.key.replace(/\[\d+\]$/, '') ?? ''}: set the variable to the key`,
  );
}

/** Without the newer key that says for how long a loaded model may go first. */
function writeBonusOfSkips({ hasAffinityBonus, skipsFrom }: LlamacppHaState, draft: Draft): void {
  if (skipsFrom === undefined || hasAffinityBonus) return;
  const comment = `from ${skipsFrom}: overtaking is bounded in time as well`;
  draft.set(['scheduling', 'modelAffinityBonus'], '30s', comment);
}

function writeServers({ servers }: LlamacppHaState, listen: string, draft: Draft): void {
  const names = new BackendNames();
  for (const { from, url, apiKey, maxModels } of usableBackends(servers, listen, draft)) {
    const name = names.nameFor(url);
    const path = ['backends', name];
    draft.set([...path, 'url'], textOfUrl(url), `from ${from.key}`);
    draft.set([...path, 'engine'], 'llamacpp');
    if (apiKey !== undefined) {
      const variable = draft.nameVariable(
        `${name}_API_KEY`,
        `key for ${textOfUrl(url)}, ${apiKey.key} there`,
      );
      draft.setSecret([...path, 'apiKey'], variable, `from ${apiKey.key}: set the variable to the key`);
    }
    if (maxModels !== undefined) draft.set([...path, 'maxModels'], maxModels, 'from max_models');
  }
}
