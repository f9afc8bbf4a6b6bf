/** From the JSON file of llamacpp-ha to a configuration of Llamero. Pure. */
import { Draft } from './draft.ts';
import type { ImportResult } from './draft.ts';
import type { ForeignKey, Setting } from './foreign-key.ts';
import { readEnvFile, readForeignMap } from './foreign-value.ts';
import type { ForeignText } from './foreign-value.ts';
import {
  BackendNames,
  setListen,
  textOfUrl,
  tryBackendUrl,
  tryWithoutV1,
  usableBackends,
} from './import-backends.ts';
import { withEnvironment } from './merge-environment.ts';
import { namesOf, noteUnknown, readKeys } from './read-keys.ts';
import {
  isEmpty,
  settingsIn,
  tryDurationText,
  tryInteger,
  tryList,
  tryMap,
  tryNumber,
  tryText,
} from './read-setting.ts';

interface FoundServer {
  readonly from: Setting;
  readonly url: URL;
  readonly apiKey: Setting | undefined;
  readonly maxModels: number | undefined;
}

interface State {
  host: { readonly text: string; readonly key: string } | undefined;
  port: { readonly number: number; readonly key: string } | undefined;
  clientKeys: Setting[];
  servers: FoundServer[];
}

const prefix = 'LLAMACPP_HA_';
const portUsual = 8700;

export const llamacppHaKeys: readonly ForeignKey<State>[] = [
  {
    name: 'backends',
    source: 'file',
    fate: 'carried',
    to: '`backends`',
    remark: 'A list there; here each has a name, after its host and port.',
    sample: '{ "backends": [{ "url": "http://10.0.0.1:8080" }] }\n',
    carry: carryBackends,
  },
  {
    name: 'backends[].url',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.url`, `engine: llamacpp`',
    remark: 'Without `/v1` at its end.',
    sample: '{ "backends": [{ "url": "http://10.0.0.1:8080/v1" }] }\n',
  },
  {
    name: 'backends[].api_key',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.apiKey`',
    remark: 'As an environment variable, to be set before the start.',
    sample: '{ "backends": [{ "url": "http://10.0.0.1:8080", "api_key": "sk-confidential" }] }\n',
    isSecret: true,
  },
  {
    name: 'backends[].max_models',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.maxModels`',
    remark: '',
    sample: '{ "backends": [{ "url": "http://10.0.0.1:8080", "max_models": 2 }] }\n',
  },
  {
    name: 'default_slot_capacity',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.defaultSlots`',
    remark: '',
    sample: '{ "default_slot_capacity": 4 }\n',
    carry: carryCount(['scheduling', 'defaultSlots']),
  },
  {
    name: 'default_max_models',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.defaultMaxModels`',
    remark: '`null`: no limit, as when it is not there.',
    sample: '{ "default_max_models": 1 }\n',
    carry: carryCount(['scheduling', 'defaultMaxModels']),
  },
  {
    name: 'model_affinity_sched_bonus',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.modelAffinityBonus`',
    remark: 'Read as seconds of waiting that a loaded model is worth.',
    sample: '{ "model_affinity_sched_bonus": 5 }\n',
    carry: carrySeconds(['scheduling', 'modelAffinityBonus']),
  },
  {
    name: 'max_queue_skip',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.maxOvertake`, `scheduling.modelAffinityBonus`',
    remark:
      'Here a request lets others go first by count and by time, 30 s. 0: by arrival only, as the preset has it.',
    sample: '{ "max_queue_skip": 3 }\n',
    carry: carrySkips,
  },
  {
    name: 'model_unload_delay',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.stickyDelay`',
    remark: '',
    sample: '{ "model_unload_delay": 1.5 }\n',
    carry: carrySeconds(['scheduling', 'stickyDelay']),
  },
  {
    name: 'model_limits',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.modelLimits`',
    remark: '',
    sample: '{ "model_limits": { "my-large-model": 1 } }\n',
    carry: carryModelLimits,
  },
  {
    name: 'host',
    source: 'file',
    fate: 'carried',
    to: '`listen`',
    remark: '',
    sample: '{ "host": "127.0.0.2" }\n',
    carry: (setting, state, draft) => {
      const text = tryText(setting, draft);
      if (text !== undefined) state.host = { text, key: setting.key };
    },
  },
  {
    name: 'port',
    source: 'file',
    fate: 'carried',
    to: '`listen`',
    remark: '',
    sample: '{ "port": 9000 }\n',
    carry: (setting, state, draft) => {
      const number = tryInteger(setting, draft);
      if (number !== undefined) state.port = { number, key: setting.key };
    },
  },
  {
    name: 'api_keys',
    spellings: ['api_key'],
    source: 'file',
    fate: 'carried',
    to: '`apiKeys`',
    remark: 'As environment variables, to be set before the start.',
    sample: '{ "api_keys": ["sk-confidential"] }\n',
    isSecret: true,
    carry: (setting, state, draft) => {
      const items = setting.value.kind === 'list' ? (tryList(setting, draft) ?? []) : [setting];
      for (const item of items) if (tryText(item, draft) !== undefined) state.clientKeys.push(item);
    },
  },
  {
    name: 'queue_timeout',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.queueTimeout`',
    remark: '',
    sample: '{ "queue_timeout": 60 }\n',
    carry: carrySeconds(['scheduling', 'queueTimeout']),
  },
  {
    name: 'poll_interval',
    source: 'file',
    fate: 'carried',
    to: '`probes.interval`',
    remark: '',
    sample: '{ "poll_interval": 2 }\n',
    carry: carrySeconds(['probes', 'interval'], 0.1),
  },
  {
    name: 'session_ttl',
    source: 'file',
    fate: 'carried',
    to: '`affinity.session.ttl`',
    remark: '',
    sample: '{ "session_ttl": 900 }\n',
    carry: carrySeconds(['affinity', 'session', 'ttl'], 0.001),
  },
];

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
  const state: State = { host: undefined, port: undefined, clientKeys: [], servers: [] };
  readKeys(map, { keys: llamacppHaKeys, state, draft });
  const listen = writeListen(state, draft);
  writeClientKeys(state, draft);
  writeServers(state, listen, draft);
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

function writeListen({ host, port, clientKeys }: State, draft: Draft): string {
  const address = `${bracketed(host?.text ?? '127.0.0.1')}:${port?.number ?? portUsual}`;
  const keys = [host?.key, port?.key].filter((key) => key !== undefined);
  if (keys.length === 0) return address;
  if (!/^(?:\[[\da-f:.]+\]|[A-Za-z\d._-]*):\d{1,5}$/i.test(address) || (port?.number ?? 0) > 65_535) {
    const at = { file: '', line: 0, column: 0 };
    draft.note(keys.join(' and '), at, `no address to listen on: ${portUsual} on 127.0.0.1 is used`);
    return `127.0.0.1:${portUsual}`;
  }
  setListen(draft, { address, comment: `from ${keys.join(' and ')}`, isOpen: clientKeys.length === 0 });
  return address;
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function writeClientKeys({ clientKeys }: State, draft: Draft): void {
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

function carryBackends(setting: Setting, state: State, draft: Draft): void {
  for (const item of tryList(setting, draft) ?? []) {
    const server = item.value.kind === 'scalar' ? urlAlone(item, draft) : tryServer(item, draft);
    if (server !== undefined) state.servers.push(server);
  }
}

function urlAlone(item: Setting, draft: Draft): FoundServer | undefined {
  const text = tryText(item, draft);
  const url = text === undefined ? undefined : tryBackendUrl(item, text, draft);
  return url && { from: item, url: tryWithoutV1(url) ?? url, apiKey: undefined, maxModels: undefined };
}

function tryServer(item: Setting, draft: Draft): FoundServer | undefined {
  const map = tryMap(item, draft);
  if (map === undefined) return undefined;
  let server: FoundServer | undefined;
  let apiKey: Setting | undefined;
  let maxModels: number | undefined;
  const known = ['url', 'api_key', 'max_models'];
  for (const setting of settingsIn(item, map)) {
    const name = setting.key.slice(item.key.length + 1);
    if (isEmpty(setting.value)) continue;
    if (name === 'url') server = urlAlone(setting, draft);
    else if (name === 'api_key') apiKey = tryText(setting, draft) === undefined ? undefined : setting;
    else if (name === 'max_models') maxModels = tryCount(setting, draft);
    else noteUnknown(setting, known, draft);
  }
  if (!map.entries.has('url')) draft.fail(item.at, `${item.key}.url`, 'is missing');
  return server && { ...server, apiKey, maxModels };
}

function writeServers({ servers }: State, listen: string, draft: Draft): void {
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

function carryModelLimits(setting: Setting, _: State, draft: Draft): void {
  const map = tryMap(setting, draft);
  if (map === undefined) return;
  for (const [model, entry] of map.entries) {
    const limit: Setting = { key: `${setting.key}.${model}`, ...entry };
    const count = tryCount(limit, draft);
    if (count === undefined) continue;
    if (model.includes('${') || model === '__proto__') {
      draft.note(limit.key, limit.at, 'a name that cannot be a key here', limit.value);
    } else draft.set(['scheduling', 'modelLimits', model], count, `from ${setting.key}`);
  }
}

function carrySkips(setting: Setting, _: State, draft: Draft): void {
  const count = tryInteger(setting, draft);
  if (count === undefined) return;
  if (count < 0) return draft.note(setting.key, setting.at, 'must not be negative', setting.value);
  draft.set(['scheduling', 'maxOvertake'], count, `from ${setting.key}`);
  if (count > 0) {
    draft.set(
      ['scheduling', 'modelAffinityBonus'],
      '30s',
      `from ${setting.key}: overtaking is bounded in time as well`,
    );
  }
}

function carryCount(path: readonly string[]): NonNullable<ForeignKey<State>['carry']> {
  return (setting, _, draft) => {
    const count = tryCount(setting, draft);
    if (count !== undefined) draft.set(path, count, `from ${setting.key}`);
  };
}

function tryCount(setting: Setting, draft: Draft): number | undefined {
  const count = tryInteger(setting, draft);
  if (count === undefined || count >= 1) return count;
  draft.note(setting.key, setting.at, 'must be at least 1', setting.value);
  return undefined;
}

function carrySeconds(path: readonly string[], secondsMin = 0): NonNullable<ForeignKey<State>['carry']> {
  return (setting, _, draft) => {
    const seconds = tryNumber(setting, draft);
    if (seconds === undefined) return;
    const text = tryDurationText(seconds, secondsMin);
    if (text === undefined) {
      draft.note(
        setting.key,
        setting.at,
        `must be at least ${secondsMin} s and at most 24 days`,
        setting.value,
      );
    } else draft.set(path, text, `from ${setting.key}`);
  };
}
