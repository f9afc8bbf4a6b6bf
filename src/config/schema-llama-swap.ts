/**
 * llama-swap's keys at the top level, with its names and defaults, so that its files work as they are. Plain numbers of
 * its time keys are seconds; they take our durations as well.
 */
import { z } from 'zod';
import { hooks } from './schema-hooks.ts';
import { macros, model, peer } from './schema-models.ts';
import { groups, matrix, profile, routing, selector } from './schema-routing.ts';
import { describe, duration, needsRestart } from './values.ts';

/** Files that a browser fetches for a page: no reason to load a model. */
export const ignorePathsDefault: readonly string[] = [
  String.raw`.*\.(js|json|css|png|gif|jpg|jpeg|ico|txt)$`,
];

const sessionHeadersDefault = ['X-Session-ID', 'X-Litellm-Session-Id'];
const metricsMaxDefault = 1000;
/** A hundred years: nothing waits for it. */
const ageMsMax = 36_500 * 86_400_000;

export const llamaSwapShape = {
  models: describe(
    'The models that the router starts and stops itself, by id.',
    z.record(z.string().min(1), model).default({}),
  ),
  macros: describe(
    'Texts to be used as `${name}` in any value: by name, in order; one may use those before it. A value that is nothing but a macro keeps its type.',
    macros,
  ),
  startPort: describe(
    'First value for `${PORT}`; models that use it get one after the other, by sorted id.',
    z.int().min(1, 'startPort must be greater than 1').max(65_535).default(5800),
  ),
  healthCheckTimeout: describe(
    'Longest time from start to ready; less than 15s counts as 15s.',
    duration().prefault('2m'),
  ),
  globalTTL: describe('`ttl` of models that set none; 0 = never unload.', duration().prefault('0s')),
  unloadTimeout: describe(
    'Time that a model gets to end by itself, then it is killed; 0 = 10s.',
    duration().prefault('10s'),
  ),
  sendLoadingState: describe(
    'Streaming chat requests are told about the loading of their model in reasoning text.',
    z.boolean().default(false),
  ),
  includeAliasesInList: describe(
    'Aliases get rows of their own in `/v1/models`.',
    z.boolean().default(false),
  ),
  routing: describe('Which models may be loaded together, and who goes first.', routing.prefault({})),
  groups: describe('Older place of `routing.router.settings.groups`.', groups.optional()),
  matrix: describe('Older place of `routing.router.settings.matrix`, with `use: matrix`.', matrix.optional()),
  profiles: describe(
    'Named sets of model names that stand for others, switched at run time; one or none is active.',
    z.record(z.string().min(1), profile).default({}),
  ),
  selectors: describe(
    'Names that stand for one of several models, chosen for each request.',
    z.record(z.string(), selector).default({}),
  ),
  peers: describe(
    'Other servers whose models this one offers.',
    z.record(z.string().min(1), peer).default({}),
  ),
  hooks: describe('What is done at certain moments.', hooks.prefault({})),
  upstream: describe(
    'Requests to `/upstream/MODEL/…`.',
    z
      .strictObject({
        ignorePaths: describe(
          'Patterns (RE2) of paths that never load a model: while it is not ready they get 409.',
          z
            .array(z.string())
            .default([...ignorePathsDefault])
            .transform((patterns) => (patterns.length === 0 ? [...ignorePathsDefault] : patterns)),
        ),
      })
      .prefault({}),
  ),
  captureBuffer: describe(
    'MB of memory for requests and answers kept whole, where there are `models` or `peers`; 0 = none are kept. With `backends` alone nothing is kept.',
    z.int().min(0).default(5),
  ),
  metricsMaxInMemory: describe(
    'Requests remembered when there is no `store`; 0 or less = 1000.',
    z
      .int()
      .default(metricsMaxDefault)
      .transform((rows) => (rows <= 0 ? metricsMaxDefault : rows)),
  ),
  store: describe(
    'Where finished requests are remembered.',
    z
      .strictObject({
        path: describe('SQLite file. Without `store` they are kept in memory.', z.string().default('')),
        rowsMax: describe(
          'Most requests kept in the file; the oldest leave. 0 = no such limit.',
          z.int().min(0).default(100_000),
        ),
        ageMax: describe(
          'Requests that came longer ago leave, within a minute; 0 = never.',
          duration({ msMax: ageMsMax }).prefault('0s'),
        ),
      })
      .optional(),
  ),
  ui: describe(
    'The monitor page.',
    z
      .strictObject({
        activity: describe(
          'Its list of requests.',
          z
            .strictObject({
              session_id: describe(
                'Request headers that name a session, first match wins; `[]` = none.',
                z
                  .array(z.string())
                  .default([...sessionHeadersDefault])
                  .transform(distinctHeaders),
              ),
            })
            .prefault({}),
        ),
      })
      .prefault({}),
  ),
  performance: describe(
    'Readings of this machine.',
    z
      .strictObject({
        disabled: describe('Take none.', z.boolean().default(false)),
        every: describe('Time between two readings; at least 5s.', duration().prefault('5s')),
      })
      .prefault({}),
  ),
  logLevel: describe(
    '`debug`, `info`, `warn` or `error`, for `log.level` where that is not set.',
    z.string().default('info'),
  ),
  logTimeFormat: describe(
    'Form of the times in the log, as `time` of its JSON lines and before readable ones: ansic, unixdate, rubydate, rfc822, rfc822z, rfc850, rfc1123, rfc1123z, rfc3339, rfc3339nano, kitchen, stamp, stampmilli, stampmicro or stampnano, in local time; else ISO 8601.',
    z.string().default(''),
  ),
  logToStdout: describe(
    "What goes to `/logs` and to the console (stderr): `proxy` (the router's log), `upstream` (what models print), `both` or `none`.",
    needsRestart(z.enum(['proxy', 'upstream', 'both', 'none']).default('proxy')),
  ),
  logRequests: describe(
    'Whether each finished request is a line of the log, for `log.requests` where that is not set. Unset: it is.',
    z.boolean().optional(),
  ),
};

/** Trimmed, without empty ones, each once in its first spelling. */
function distinctHeaders(names: readonly string[]): string[] {
  const byLowerCase = new Map<string, string>();
  for (const name of names.map((text) => text.trim())) {
    const key = name.toLowerCase();
    if (name !== '' && !byLowerCase.has(key)) byLowerCase.set(key, name);
  }
  return [...byLowerCase.values()];
}
