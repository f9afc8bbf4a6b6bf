/**
 * The configuration file: one tree that is the source of types, defaults, docs/config.md and schema/. Keys are camelCase;
 * every leaf has a description; `meta.unit` says how to read a value. Cross-field rules live in checks.ts.
 */
import { z } from 'zod';
import { engineNames } from '../domain/engine-names.ts';
import { pickers, scorers } from '../scheduler/policies/index.ts';
import { presets } from '../scheduler/presets.ts';
import type { PresetName } from '../scheduler/presets.ts';
import { cacheShape } from './schema-cache.ts';
import { ensembleShape } from './schema-ensembles.ts';
import { managementShape } from './schema-management.ts';
import { gpuMonitor } from './schema-gpu.ts';
import { keyShape } from './schema-keys.ts';
import { llamaSwapShape } from './schema-llama-swap.ts';
import { repairsShape } from './schema-repairs.ts';
import { usageSection } from './schema-usage.ts';
import { telemetryShape } from './schema-telemetry.ts';
import { expectContinueWith, keepaliveWith } from './schema-timeouts.ts';
import { wordingShape } from './schema-wording.ts';
import { describe, duration, needsRestart, secret, size } from './values.ts';

const timeouts = z.strictObject({
  connect: describe('Longest time to open a connection.', duration({ msMin: 1 }).prefault('5s')),
  firstByte: describe(
    'Longest time from sending the request to the first byte of the answer; 0 = no limit. A long prompt or a queue inside the engine counts here.',
    duration().prefault('0s'),
  ),
  idle: describe('Longest silence in the middle of an answer; 0 = no limit.', duration().prefault('0s')),
  keepalive: keepaliveWith('15s'),
  expectContinue: expectContinueWith('0s'),
});

const backend = z.strictObject({
  url: describe('Base URL, `http://` or `https://`; a path in it is put before every route.', z.string()),
  engine: describe(
    'What runs there; `auto` asks it. It decides probes, native routes and how a request is cancelled.',
    z.enum(['auto', ...engineNames]).default('auto'),
  ),
  apiKey: describe(
    "Key sent to this backend as `Authorization: Bearer` and `x-api-key`. Clients' keys never go there.",
    secret().optional(),
  ),
  slots: describe(
    'Concurrent requests it can take. Unset: read from the engine, else `scheduling.defaultSlots`. Set: overrides what the engine says.',
    z.int().min(1).max(65_536).optional(),
  ),
  slotsPerModel: describe(
    'Most of them for one model. Where it is set and neither `slots` nor the engine says more, slots are counted by model alone.',
    z.int().min(1).max(65_536).optional(),
  ),
  maxModels: describe(
    'Most distinct models that may run there at once, so that a request never makes the engine evict a busy model. Unset: `scheduling.defaultMaxModels`.',
    z.int().min(1).optional(),
  ),
  models: describe(
    'Allow list: only these models are used there. Also what it serves if it has no model list of its own.',
    z.array(z.string().min(1)).min(1).optional(),
  ),
  weight: describe(
    'Relative share for the weighted-random picker and the `weight` scorer.',
    z.number().positive().default(1),
  ),
  priority: describe('Order for the `priority` scorer: lower is preferred.', z.number().default(0)),
  gpuMonitor: describe(
    'Who tells how busy the GPUs of its machine are: the URL of a `llamero gpu-monitor` or of the sidecar of ollama-lb there, or `local` where that is this machine. What it tells only steers: a monitor that is silent for 10s makes the load unknown, never the backend dead.',
    gpuMonitor.optional(),
  ),
  ...wordingShape,
  timeouts: describe('Timeouts of this backend.', timeouts.prefault({})),
});

const clientKey = () =>
  secret({ empty: 'empty api key found in apiKeys', spaces: 'api key cannot contain spaces' });

const apiKey = z.union([
  clientKey(),
  z.strictObject({
    name: describe(
      'Shown in logs and metrics instead of the key, and the fairness key of its requests.',
      z.string().min(1),
    ),
    key: describe('The key itself.', clientKey()),
    ...keyShape,
  }),
]);

const scheduling = z.strictObject({
  preset: describe(
    'Set of policies and other values to start from (docs/policies.md); single keys beside it override it.',
    z.enum(Object.keys(presets) as [PresetName, ...PresetName[]]).default('default'),
  ),
  ordering: describe(
    '`fair`: every client (API key, else address) gets its share. `fifo`: strictly by arrival. Unset: by preset.',
    z.enum(['fair', 'fifo']).optional(),
  ),
  scorers: describe(
    "Weight by scorer name (docs/policies.md); replaces the preset's set.",
    z.partialRecord(z.enum(scorers.map(({ name }) => name)), z.number().positive()).optional(),
  ),
  picker: describe(
    'Name of the picker (docs/policies.md). Unset: by preset.',
    z.enum(pickers.map(({ name }) => name)).optional(),
  ),
  slotLimits: describe(
    '`hard`: a request waits here until a slot is free. `soft`: slots only steer; where none is free the request goes to the best backend all the same and waits in its engine.',
    z.enum(['hard', 'soft']).default('hard'),
  ),
  queueMax: describe('Most requests that wait; 0 = no queue.', z.int().min(0).default(10_000)),
  queueTimeout: describe('Longest wait for a slot; 0 = no limit. Then 503.', duration().prefault('5m')),
  deadWait: describe(
    'Longest wait while no live backend serves the model. Then 503.',
    duration().prefault('15s'),
  ),
  priorityAgeing: describe(
    'A waiting request counts one priority class better for each such time waited; 0 = never.',
    duration().prefault('30s'),
  ),
  modelAffinityBonus: describe(
    'While the first in order has waited less than this, a later request whose model is loaded on the free backend may go before it; 0 = never. Unset: by preset.',
    duration().optional(),
  ),
  maxOvertake: describe(
    'How often one waiting request may be overtaken that way, or by `affinity.prefix.bonus`.',
    z.int().min(0).default(100),
  ),
  maxWait: describe(
    'Longest time that requests for a model which has to be loaded stand behind busy models that would have to go for it; then those take no new requests until it is loaded. 0 = for ever.',
    duration().prefault('1m'),
  ),
  swapHold: describe(
    'For the sake of an idle model that by its recent past is likely to be wanted again soon, requests for others wait longer: by at most this share of the time that they would have waited anyway. 0 = it goes at once.',
    z.number().min(0).default(0.25),
  ),
  stickyDelay: describe(
    'After its last request a backend that can swap models stays reserved this long for the model it served, so that quick follow-ups do not cause a swap; 0 = not.',
    duration().prefault('3s'),
  ),
  modelLimits: describe(
    'Most requests in flight per model over all backends.',
    z.record(z.string(), z.int().min(1)).default({}),
  ),
  defaultSlots: describe(
    'Slots of a backend that neither tells nor is configured.',
    z.int().min(1).default(1),
  ),
  defaultMaxModels: describe(
    '`maxModels` of backends that set none; unset = no limit.',
    z.int().min(1).optional(),
  ),
  lingerMax: describe(
    'How long a slot counts as taken after the client of a non-streaming llama.cpp request left, when the engine has no readable slots.',
    duration().prefault('1m'),
  ),
});

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/, 'must be a header name')
  .transform((name) => name.toLowerCase());

const affinity = z.strictObject({
  session: describe(
    'Requests of one conversation prefer the backend that has its prompt cached. Soft: a busy backend is not waited for.',
    z
      .strictObject({
        enabled: describe('Remember where conversations go.', z.boolean().default(true)),
        ttl: describe('Forgotten this long after the last request.', duration({ msMin: 1 }).prefault('10m')),
        headers: describe(
          'Request headers that identify a conversation, first match wins.',
          z
            .array(headerName)
            .prefault(['x-session-id', 'session-id', 'session_id', 'x-conversation-id', 'x-thread-id']),
        ),
        fingerprint: describe(
          'Without such a header: recognise a conversation by its model, system prompt and first user turn.',
          z.boolean().default(true),
        ),
        recipe: describe(
          'What a conversation is recognised by. `own`: system prompt and first user turn, per client. `nomyo`: as nomyo-router does it, the same for all clients and for plain prompts too. Unset: `nomyo` with its presets, else `own`.',
          z.enum(['own', 'nomyo']).optional(),
        ),
        max: describe('Most conversations remembered.', z.int().min(1).default(100_000)),
      })
      .prefault({}),
  ),
  prefix: describe(
    'Requests prefer the backend that has most of their prompt cached, whoever sent it there (scorer `prefix-affinity`).',
    z
      .strictObject({
        memory: describe(
          'Memory for what was sent where, over all backends: about a tenth of the text of the prompts. 0 = nothing is remembered.',
          size({ bytesMin: 0 }).prefault('64MiB'),
        ),
        loadFactor: describe(
          'A backend that has more than this many times its part of the requests, and one more, is not preferred for its cache, so that a popular prompt spreads. 0 = it always is.',
          z.number().min(0).default(1.25),
        ),
        bonus: describe(
          "When all slots are in use: on a slot that becomes free, a request that has more of its prompt cached there goes before requests for the same model that came less than this before it, within its client's fair share and `scheduling.maxOvertake`. 0 = never.",
          duration().prefault('10s'),
        ),
        patience: describe(
          'When most slots are in use: how long a request waits for a slot of a full backend that has at least 8 KiB more of its prompt cached than any with a free slot. 0 = not at all.',
          duration().prefault('1s'),
        ),
        nameSlots: describe(
          'Requests for the APIs chat completions, completions and `/completion` tell a llama-server which of its slots to use (`id_slot`): that of their conversation, else the one least recently used. For servers that nobody else uses. Otherwise the server chooses.',
          z.boolean().default(false),
        ),
      })
      .prefault({}),
  ),
});

const probes = z.strictObject({
  interval: describe('Time between two probes of a live backend.', duration({ msMin: 100 }).prefault('2s')),
  deadInterval: describe(
    'Time between two probes of a dead backend. Where nobody listens it is noticed each `interval` when somebody does again, and asked at once.',
    duration({ msMin: 100 }).prefault('2s'),
  ),
  timeout: describe('Deadline of one probe request.', duration({ msMin: 1 }).prefault('5s')),
  gpuInterval: describe(
    'Time between two questions to a `gpuMonitor`. Backends with the same one share its answers.',
    duration({ msMin: 100, msMax: 5000 }).prefault('2s'),
  ),
  failures: describe(
    'Failed probes in a row until a backend is dead. A refused connection counts at once.',
    z.int().min(1).default(2),
  ),
  successes: describe(
    'Good probes in a row until a dead backend takes requests again.',
    z.int().min(1).default(1),
  ),
  breakerFailures: describe(
    'Failed requests in a row (no connection, reset, timeout; never a 4xx) until a backend is dead.',
    z.int().min(1).default(3),
  ),
  modelFailureWindow: describe(
    'Time after a failed request (those of `breakerFailures`, and a 5xx) in which its backend gets no more requests of that model while another one serves it; a success ends it. 0 = none.',
    duration().prefault('10s'),
  ),
});

const limits = z.strictObject({
  body: describe('Largest request body.', size().prefault('100MiB')),
  header: describe(
    'Largest request head (request line and headers).',
    needsRestart(size().prefault('64KiB')),
  ),
  connections: describe('Most client connections at once.', z.int().min(1).default(20_000)),
  bodyTimeout: describe(
    'Longest time a client may take to send its head and body.',
    duration({ msMin: 1 }).prefault('1m'),
  ),
});

const streaming = z.strictObject({
  keepalive: describe(
    'Silence after which a client that asked for a stream gets its status line and a sign of life (an SSE comment, for the Messages API a ping), again after each such silence until the first byte of the answer; 0 = never. Errors are then events of the stream.',
    duration().prefault('15s'),
  ),
});

const responses = z.strictObject({
  rowsMax: describe('Most answers kept; the oldest leave. 0 = none are kept.', z.int().min(0).default(1000)),
  sizeMax: describe('Size of all that is kept, as JSON text; the oldest leave.', size().prefault('64MiB')),
  ageMax: describe('Answers that came longer ago leave; 0 = never.', duration().prefault('1d')),
});

const drain = z.strictObject({
  lameDuck: describe(
    'After SIGTERM, time during which new requests are still taken while `/health` already says 503, so that a load balancer can notice.',
    duration().prefault('0s'),
  ),
  timeout: describe(
    'Longest time that running and waiting requests get to finish; then they are cut.',
    duration().prefault('5m'),
  ),
});

const log = z.strictObject({
  level: describe(
    'Least severe level that is written. Wins over `logLevel`.',
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  ),
  format: describe(
    '`auto`: readable on a terminal, JSON lines elsewhere.',
    needsRestart(z.enum(['auto', 'json', 'pretty']).default('auto')),
  ),
  requests: describe('One line per finished request.', z.boolean().default(true)),
});

const port = z.int().min(0).max(65_535);

export const configSchema = z.strictObject({
  listen: describe(
    'Address or addresses to serve on: `HOST:PORT`, `:PORT` (all interfaces), `[::1]:PORT`, `PORT` (this machine alone).',
    z
      .union([z.string(), port, z.array(z.union([z.string(), port])).min(1)])
      .default('127.0.0.1:8700')
      .transform((value) => (Array.isArray(value) ? value : [value]).map(String)),
  ),
  tls: describe(
    'Serve HTTPS (TLS 1.2 or newer) instead of HTTP, on every address. The files are read again on each reload; to switch it on or off takes a restart.',
    needsRestart(
      z
        .strictObject({
          cert: describe(
            'PEM file with the certificate, and those between it and the authority. Relative to the working folder.',
            z.string().min(1),
          ),
          key: describe('PEM file with its private key, without a passphrase.', z.string().min(1)),
        })
        .optional(),
    ),
  ),
  allowUnauthenticated: describe(
    'Without `apiKeys` and `keysFile`: allow serving beyond loopback, and answering to a public name (`Host`).',
    z.boolean().default(false),
  ),
  apiKeys: describe('Keys that clients must send; empty = no authentication.', z.array(apiKey).default([])),
  keysFile: describe(
    'File with more keys, written by `llamero keys`; changes count at once. With it clients must send a key, even while there is none. Relative to the working folder.',
    z.string().min(1).optional(),
  ),
  backends: describe(
    'The inference servers, by a name of your choice.',
    z
      .record(
        z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be letters, digits, dot, dash or underscore'),
        backend,
      )
      .default({}),
  ),
  scheduling: describe('Queue and placement.', scheduling.prefault({})),
  affinity: describe('Keeping conversations where their prompt is cached.', affinity.prefault({})),
  probes: describe('Health checks and readings of the backends.', probes.prefault({})),
  limits: describe('Bounds on what clients may send.', limits.prefault({})),
  streaming: describe('What streaming clients get before the engine answers.', streaming.prefault({})),
  responses: describe(
    'Answers of the Responses API that are kept for `previous_response_id`, each with its conversation, where the engine keeps none. Only whoever got an answer can go on from it, and `store: false` in a request keeps it out. In memory; with `store` in a file beside its file.',
    responses.prefault({}),
  ),
  ...repairsShape,
  ...cacheShape,
  ...ensembleShape,
  ...managementShape,
  usage: usageSection,
  drain: describe('How a stop goes.', drain.prefault({})),
  log: describe("The router's own log, on stderr.", log.prefault({})),
  ...telemetryShape,
  ...llamaSwapShape,
});

/** A configuration with every default filled in: durations in ms, sizes in bytes, `listen` a list. Frozen by load. */
export type Config = z.output<typeof configSchema>;
export type BackendConfig = Config['backends'][string];
export type ApiKeyConfig = Config['apiKeys'][number];
export type ModelEntry = Config['models'][string];
export type PeerEntry = Config['peers'][string];
