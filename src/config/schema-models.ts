/**
 * The part of the schema that describes models: those the router starts, and those of peers. Keys, defaults and meaning
 * are llama-swap's, so that its files work as they are. What needs more than one key is checked in check-models.ts.
 */
import { z } from 'zod';
import { modelHooks } from './schema-hooks.ts';
import { wordingShape } from './schema-wording.ts';
import { expectContinueWith, keepaliveWith } from './schema-timeouts.ts';
import { describe, duration, secret, size } from './values.ts';

const jsonValue = z.unknown().refine(isJsonValue, 'must be a value that JSON can hold');
const freeMap = z.record(z.string(), jsonValue);

const setParams = describe(
  'Body members to set, by key; a dotted key (`a.b`) is a path into nested maps. `model` cannot be set.',
  freeMap.default({}),
);
const stripParams = describe(
  'Body members to remove, separated by commas; a dotted name is a path. `model` cannot be removed.',
  z.string().default(''),
);
const stripParamsOld = describe('Old spelling of `stripParams`.', z.string().optional());

const alias = z.union([
  z.string(),
  z.strictObject({
    id: describe('The name itself.', z.string().min(1)),
    name: describe('Display name in `/v1/models`. Empty: that of the model.', z.string().default('')),
    unlisted: describe(
      'Not in `/v1/models`, whatever `includeAliasesInList` says.',
      z.boolean().default(false),
    ),
  }),
]);

const modelFilters = z.strictObject({
  stripParams,
  strip_params: stripParamsOld,
  setParams,
  setParamsByID: describe(
    'More members to set, by the requested name. Every name besides the model id becomes an alias. Macros work in these names.',
    z.record(z.string().min(1), freeMap).default({}),
  ),
});

const peerFilters = z.strictObject({ stripParams, strip_params: stripParamsOld, setParams });

const timeoutsWith = (responseHeader: string) =>
  z.strictObject({
    connect: describe('Longest time to open a connection; 0 = no limit.', duration().prefault('30s')),
    keepalive: keepaliveWith('30s'),
    responseHeader: describe(
      'Longest time from sending the request to the head of the answer; 0 = no limit.',
      duration().prefault(responseHeader),
    ),
    tlsHandshake: describe('Longest time for a TLS handshake; 0 = no limit.', duration().prefault('10s')),
    expectContinue: expectContinueWith('1s'),
    idleConn: describe(
      'An idle connection is closed after this; 0 and longer times = as long as the engine can be relied on to keep it, some seconds.',
      duration().prefault('90s'),
    ),
  });

const modalities = (side: string) =>
  z
    .array(
      z.enum(
        ['text', 'audio', 'image'],
        `capabilities.${side}: invalid modality: must be text, audio or image`,
      ),
    )
    .default([]);

const capabilities = z.strictObject({
  in: describe('What it takes: `text`, `audio`, `image`.', modalities('in')),
  out: describe('What it produces: `text`, `audio`, `image`.', modalities('out')),
  tools: describe('It can call functions.', z.boolean().default(false)),
  reranker: describe('It answers `/v1/rerank`.', z.boolean().default(false)),
  context: describe('Context length in tokens; 0 = not told.', z.int().min(0).default(0)),
});

const memory = z.strictObject({
  vram: describe(
    'GPU memory that it takes, over all GPUs; 0 = none. Unset: as measured; until then it runs alone.',
    size({ bytesMin: 0 }).optional(),
  ),
  ram: describe(
    'Main memory that it takes; 0 = next to none. Unset: as measured; until then it runs alone.',
    size({ bytesMin: 0 }).optional(),
  ),
});

const asGlobalMs = -1000;

/** -1 and nothing both mean: as `globalTTL` says. */
const ttl = duration({ msMin: asGlobalMs, tooShort: 'invalid TTL value' })
  .refine((ms) => ms === asGlobalMs || ms >= 0, 'invalid TTL value')
  .transform((ms) => (ms === asGlobalMs ? undefined : ms))
  .optional()
  .meta({ unit: 'duration' });

const macroValue = z.union([z.string(), z.number(), z.boolean()]);

/** Load fills macros in and takes them out: a loaded configuration has none. */
export const macros = z.record(z.string(), macroValue).optional();

export const model = z.strictObject({
  cmd: describe(
    'Command that starts the server. Lines that begin with `#` are dropped, a backslash joins lines, words are split as a shell does; no shell runs. `${PORT}` is a port chosen for this model.',
    z.string().default(''),
  ),
  cmdStop: describe(
    'Command that stops it, in place of SIGTERM; `${PID}` is its process id.',
    z.string().default(''),
  ),
  proxy: describe(
    'URL at which the server listens. Unset: `http://localhost:${PORT}`; then `cmd` must use `${PORT}`.',
    z.string().default(''),
  ),
  aliases: describe(
    'Other names for it: names, or maps with an `id` and what lists say of it.',
    z.array(alias).default([]),
  ),
  env: describe(
    "`NAME=value` items, added to the router's own environment.",
    z.array(z.string()).default([]),
  ),
  checkEndpoint: describe(
    'Path that answers 200 once the server is ready; `none` = ready as soon as the command runs.',
    z.string().default('/health'),
  ),
  ttl: describe('Unloaded this long after its last request; 0 = never, -1 or unset = `globalTTL`.', ttl),
  unloadTimeout: describe(
    'Time to end by itself when it is stopped, then it is killed; 0 = the global `unloadTimeout`.',
    duration().prefault('0s'),
  ),
  unlisted: describe('Not shown in `/v1/models`; requests for it work.', z.boolean().default(false)),
  useModelName: describe('Put as `model` into the body that the server gets.', z.string().default('')),
  name: describe('Display name.', z.string().default('')),
  description: describe('Display text.', z.string().default('')),
  concurrencyLimit: describe(
    'Most requests for it at once, waiting ones included; the next one gets 429. 0 = no such limit: what its slots do not take waits in the queue (`scheduling.queueMax`).',
    z.int().min(0).default(0),
  ),
  filters: describe('Changes to the JSON body of requests.', modelFilters.prefault({})),
  macros: describe('Macros of this model; one with the name of a global macro replaces it here.', macros),
  metadata: describe('Copied to `/v1/models` as `meta.llamaswap`.', freeMap.default({})),
  sendLoadingState: describe('Unset: the global `sendLoadingState`.', z.boolean().optional()),
  ...wordingShape,
  timeouts: describe('Timeouts of the connection to it.', timeoutsWith('0s').prefault({})),
  compat: describe(
    'For servers with special habits.',
    z
      .strictObject({
        ignoreWebsockets: describe(
          'WebSockets never load it, do not count as requests and do not delay a swap; while it is not ready they get 409.',
          z.boolean().default(false),
        ),
      })
      .prefault({}),
  ),
  capabilities: describe(
    'What `/v1/models` says that it can do. With `in` and no `image` in it, requests with images are refused without loading the model, unless its engine runs and says that it can see.',
    capabilities.prefault({}),
  ),
  hooks: describe('Commands around this model, after the global ones.', modelHooks.prefault({})),
  memory: describe(
    'What it takes of the memory that `routing.router.settings.memory` has for models.',
    memory.prefault({}),
  ),
});

export const peer = z.strictObject({
  proxy: describe('Base URL of the other server; a path in it is put before every route.', z.string()),
  apiKey: describe(
    "Key sent there as `Authorization: Bearer` and `x-api-key`. Empty: none. Clients' keys never go there.",
    z
      .union([z.literal(''), secret()])
      .default('')
      .meta({ unit: 'secret' }),
  ),
  models: describe(
    'Its models. `PEER/MODEL` always names one; the bare name does if only one peer has it.',
    z.array(z.string().min(1)).min(1),
  ),
  filters: describe('Changes to the JSON body of requests.', peerFilters.prefault({})),
  ...wordingShape,
  timeouts: describe('Timeouts of the connection to it.', timeoutsWith('60s').prefault({})),
});

function isJsonValue(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJsonValue);
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isJsonValue);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}
