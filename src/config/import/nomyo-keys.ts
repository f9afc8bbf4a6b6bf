/** The keys of nomyo-router and what becomes of each. Carrying only collects; nomyo.ts puts the configuration together. */
import type { ForeignKey, Setting } from './foreign-key.ts';
import type { Draft } from './draft.ts';
import { noNomyoCache, nomyoCacheKeys, type NomyoCache } from './nomyo-cache.ts';
import { settingsIn, tryFlag, tryInteger, tryList, tryMap, tryText } from './read-setting.ts';
import { noteUnknown } from './read-keys.ts';

/** What the file says, keys of one another not yet brought together. */
export interface NomyoState {
  endpoints: readonly Setting[] | undefined;
  llamaServers: readonly Setting[];
  limit: { readonly count: number; readonly key: string } | undefined;
  readonly limitByUrl: Map<string, { readonly count: number; readonly setting: Setting }>;
  priority: string | undefined;
  affinity: string | undefined;
  affinityTtl: { readonly seconds: number; readonly setting: Setting } | undefined;
  readonly keyByUrl: Map<string, Setting>;
  routerKey: Setting | undefined;
  host: { readonly text: string; readonly key: string } | undefined;
  port: { readonly number: number; readonly key: string } | undefined;
  readonly cache: NomyoCache;
}

export function noNomyoState(): NomyoState {
  return {
    endpoints: undefined,
    llamaServers: [],
    limit: undefined,
    limitByUrl: new Map(),
    priority: undefined,
    affinity: undefined,
    affinityTtl: undefined,
    keyByUrl: new Map(),
    routerKey: undefined,
    host: undefined,
    port: undefined,
    cache: noNomyoCache(),
  };
}

type NomyoKey = ForeignKey<NomyoState>;

const routingKeys: readonly NomyoKey[] = [
  {
    name: 'endpoints',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.url`, `backends.<name>.engine`',
    remark:
      '`engine: openai` for a URL with `/v1`, without it, `engine: ollama` for the others. The `/v1` of an Ollama that is listed needs no backend of its own. Not set: `http://localhost:11434`.',
    sample: 'endpoints: ["http://10.0.0.1:11434", "https://api.example.com/v1"]\n',
    carry: (setting, state, draft) => {
      state.endpoints = tryList(setting, draft);
    },
  },
  {
    name: 'llama_server_endpoints',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.url`, `engine: llamacpp`',
    remark: 'Without `/v1` at its end.',
    sample: 'llama_server_endpoints: ["http://10.0.0.1:8080/v1"]\n',
    carry: (setting, state, draft) => {
      state.llamaServers = tryList(setting, draft) ?? [];
    },
  },
  {
    name: 'max_concurrent_connections',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.slotsPerModel`',
    remark:
      'At each backend; as there it only steers (`scheduling.slotLimits: soft`, by the preset). Not set: 1.',
    sample: 'max_concurrent_connections: 4\n',
    carry: (setting, state, draft) => {
      const count = tryLimit(setting, draft);
      if (count !== undefined) state.limit = { count, key: setting.key };
    },
  },
  {
    name: 'endpoint_config',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.slotsPerModel`',
    remark: 'Of endpoints that are listed.',
    sample: 'endpoint_config: { "http://localhost:11434": { max_concurrent_connections: 3 } }\n',
    carry: carryEndpointConfig,
  },
  {
    name: 'endpoint_config.<url>.max_concurrent_connections',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.slotsPerModel`',
    remark: '',
    sample: 'endpoint_config: { "http://localhost:11434": { max_concurrent_connections: 3 } }\n',
  },
  {
    name: 'priority_routing',
    source: 'file',
    fate: 'carried',
    to: '`scheduling.preset: nomyo-priority`',
    remark: 'Without it `preset: nomyo`.',
    sample: 'priority_routing: true\n',
    carry: (setting, state, draft) => {
      state.priority = tryFlag(setting, draft) === true ? setting.key : undefined;
    },
  },
  {
    name: 'conversation_affinity',
    source: 'file',
    fate: 'carried',
    to: '`affinity.session.enabled`',
    remark: 'Here a conversation can also be named by a header. Not set: off.',
    sample: 'conversation_affinity: true\n',
    carry: (setting, state, draft) => {
      state.affinity = tryFlag(setting, draft) === true ? setting.key : undefined;
    },
  },
  {
    name: 'conversation_affinity_ttl',
    source: 'file',
    fate: 'carried',
    to: '`affinity.session.ttl`',
    remark: 'With `conversation_affinity` 5 m where it is not set.',
    sample: 'conversation_affinity: true\nconversation_affinity_ttl: 60\n',
    carry: (setting, state, draft) => {
      const seconds = tryInteger(setting, draft);
      if (seconds !== undefined) state.affinityTtl = { seconds, setting };
    },
  },
];

const accessKeys: readonly NomyoKey[] = [
  {
    name: 'api_keys',
    source: 'file',
    fate: 'carried',
    to: '`backends.<name>.apiKey`',
    remark:
      '`${NAME}` becomes `${env.NAME}`; a key that stands in the file becomes a variable to be set before the start. A key of an Ollama is left out, as it never was sent.',
    sample:
      'endpoints: ["https://api.example.com/v1"]\napi_keys: { "https://api.example.com/v1": "${EXAMPLE_KEY}" }\n',
    isSecret: true,
    carry: (setting, state, draft) => {
      const map = tryMap(setting, draft);
      if (map === undefined) return;
      for (const [url, entry] of map.entries) {
        state.keyByUrl.set(url, { key: setting.key, ...entry });
      }
    },
  },
  {
    name: 'router_api_key',
    spellings: [
      'nomyo-router-api-key',
      'nomyo_router_api_key',
      'nomyo-router_api_key',
      'nomyo_router-api_key',
      'NOMYO-ROUTER_API_KEY',
      'NOMYO_ROUTER_API_KEY',
    ],
    source: 'file',
    fate: 'carried',
    to: '`apiKeys`',
    remark:
      'As an environment variable. Not set, and no `NOMYO_ROUTER_API_KEY`: `allowUnauthenticated: true`.',
    sample: 'router_api_key: nomyo-confidential\n',
    isSecret: true,
    carry: (setting, state) => {
      state.routerKey = setting;
    },
  },
];

const otherKeys: readonly NomyoKey[] = [
  {
    name: 'db_path',
    source: 'file',
    fate: 'dropped',
    to: '',
    remark:
      'the counts in that file stay there: Llamero writes requests to a file of its own, named by store.path',
    sample: 'db_path: token_counts.db\n',
  },
  ...nomyoCacheKeys,
];

/** Keys of its YAML file; each can also be a variable `NOMYO_ROUTER_<KEY>`, which the file wins over. */
export const nomyoFileKeys: readonly NomyoKey[] = [...routingKeys, ...accessKeys, ...otherKeys];

const envDropped: readonly (readonly [string, string, string])[] = [
  [
    'NOMYO_ROUTER_CONFIG_PATH',
    'config.yaml',
    'name the file on the command line: llamero serve --config FILE',
  ],
  ['CONFIG_PATH', 'config.yaml', 'name the file on the command line: llamero serve --config FILE'],
  ['UVICORN_RELOAD', 'true', 'llamero serve --watch reads a changed configuration again'],
  ['UVICORN_BIN', 'uvicorn', 'Llamero is one program and needs no other server'],
  ['HF_HOME', '/data/hf', 'only a semantic cache needs models of its own'],
];

/** Variables of its program and container. */
export const nomyoEnvKeys: readonly NomyoKey[] = [
  {
    name: 'NOMYO_ROUTER_API_KEY',
    source: 'environment',
    fate: 'carried',
    to: '`apiKeys`',
    remark: 'Under its own name; counts where the file has no `router_api_key`.',
    sample: 'NOMYO_ROUTER_API_KEY=nomyo-confidential\n',
    isSecret: true,
    carry: (setting, state) => {
      state.routerKey ??= setting;
    },
  },
  {
    name: 'NOMYO_ROUTER_<KEY>',
    source: 'environment',
    fate: 'carried',
    to: 'that of the key',
    remark: 'Any key of the file that the file does not have; lists and maps are JSON.',
    sample: 'NOMYO_ROUTER_PRIORITY_ROUTING=true\n',
  },
  {
    name: 'NOMYO_ROUTER_DB_PATH',
    source: 'environment',
    fate: 'dropped',
    to: '',
    remark:
      'the counts in that file stay there: Llamero writes requests to a file of its own, named by store.path',
    sample: 'NOMYO_ROUTER_DB_PATH=/app/data/token_counts.db\n',
  },
  {
    name: 'UVICORN_HOST',
    source: 'environment',
    fate: 'carried',
    to: '`listen`',
    remark: 'Not set: 0.0.0.0.',
    sample: 'UVICORN_HOST=127.0.0.1\n',
    carry: (setting, state, draft) => {
      const text = tryText(setting, draft);
      if (text !== undefined && text !== '') state.host = { text, key: setting.key };
    },
  },
  {
    name: 'UVICORN_PORT',
    source: 'environment',
    fate: 'carried',
    to: '`listen`',
    remark: 'Not set: 12434.',
    sample: 'UVICORN_PORT=9000\n',
    carry: (setting, state, draft) => {
      const port = tryInteger(setting, draft);
      if (port === undefined) return;
      if (port < 0 || port > 65_535) draft.fail(setting.at, setting.key, 'must be a port');
      else state.port = { number: port, key: setting.key };
    },
  },
  ...envDropped.map(([name, value, remark]): NomyoKey => ({
    name,
    source: 'environment',
    fate: 'dropped',
    to: '',
    remark,
    sample: `${name}=${value}\n`,
  })),
];

function carryEndpointConfig(setting: Setting, state: NomyoState, draft: Draft): void {
  const map = tryMap(setting, draft);
  if (map === undefined) return;
  for (const [url, entry] of map.entries) {
    const own = tryMap({ key: setting.key, ...entry }, draft);
    if (own === undefined) continue;
    for (const inner of settingsIn({ key: setting.key, ...entry }, own)) {
      if (inner.key !== `${setting.key}.max_concurrent_connections`) {
        noteUnknown(inner, ['max_concurrent_connections'], draft);
        continue;
      }
      const count = tryLimit(inner, draft);
      if (count !== undefined) state.limitByUrl.set(url, { count, setting: inner });
    }
  }
}

function tryLimit(setting: Setting, draft: Draft): number | undefined {
  const count = tryInteger(setting, draft);
  if (count === undefined) return undefined;
  if (count >= 1) return Math.min(count, 65_536);
  draft.note(setting.key, setting.at, 'must be at least 1', setting.value);
  return undefined;
}
