/** The keys of llamacpp-ha and what becomes of each. Carries what stands for itself, collects what belongs together. */
import type { Draft } from './draft.ts';
import type { ForeignKey, Setting } from './foreign-key.ts';
import { tryBackendUrl, tryWithoutV1 } from './import-backends.ts';
import { noteUnknown } from './read-keys.ts';
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

/** What the file says, keys of one another not yet brought together. */
export interface LlamacppHaState {
  host: { readonly text: string; readonly key: string } | undefined;
  port: { readonly number: number; readonly key: string } | undefined;
  clientKeys: Setting[];
  servers: FoundServer[];
  hasAffinityBonus: boolean;
  /** The key that allows skips, where there are any. */
  skipsFrom: string | undefined;
}

type LlamacppHaKey = ForeignKey<LlamacppHaState>;

export const llamacppHaKeys: readonly LlamacppHaKey[] = [
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
    carry: carryAffinityBonus,
  },
  {
    name: 'max_queue_skip',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.maxOvertake`, `scheduling.modelAffinityBonus`',
    remark:
      'Here a request lets others go first by count and by time: that of `model_affinity_sched_bonus`, else 30 s. 0: by arrival only, as the preset has it.',
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

function carryBackends(setting: Setting, state: LlamacppHaState, draft: Draft): void {
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

function carryModelLimits(setting: Setting, _: LlamacppHaState, draft: Draft): void {
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

function carryAffinityBonus(setting: Setting, state: LlamacppHaState, draft: Draft): void {
  state.hasAffinityBonus = true;
  carrySeconds(['scheduling', 'modelAffinityBonus'])(setting, state, draft);
}

function carrySkips(setting: Setting, state: LlamacppHaState, draft: Draft): void {
  const count = tryInteger(setting, draft);
  if (count === undefined) return;
  if (count < 0) return draft.note(setting.key, setting.at, 'must not be negative', setting.value);
  draft.set(['scheduling', 'maxOvertake'], count, `from ${setting.key}`);
  if (count > 0) state.skipsFrom = setting.key;
}

function carryCount(path: readonly string[]): NonNullable<LlamacppHaKey['carry']> {
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

function carrySeconds(path: readonly string[], secondsMin = 0): NonNullable<LlamacppHaKey['carry']> {
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
