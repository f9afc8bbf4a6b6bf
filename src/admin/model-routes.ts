/** Loading and unloading models by hand, what runs, and the active profile: llama-swap's routes, and one to load. */
import type { Context, Hono } from 'hono';
import type { ResolvedModel } from '../config/models.ts';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import { loadQuery, profileChoice, type ProfilesBody, type RunningBody } from './contract-models.ts';
import type { AdminDeps, ModelControl } from './deps.ts';
import { loadPlan, unloadPlan, wantsPlan } from './model-plans.ts';
import { addRoute, check, checkQuery, restOfPath } from './routing.ts';

const unloadStart = '/api/models/unload/';
const loadStart = '/api/models/load/';

type Deps = Pick<AdminDeps, 'models' | 'profile' | 'log'>;

export function addModelRoutes(app: Hono, deps: Deps): void {
  const { models } = deps;
  addRoute(app, '/running', { GET: (context) => context.json(runningBody(models)) });
  addRoute(app, '/unload', {
    GET: async (context) => {
      const all = [...models.config().models.keys()];
      if (wantsPlan(context)) return context.json(unloadPlan(models, all));
      await unload(models, all);
      return context.text('OK');
    },
  });
  addRoute(app, '/api/models/unload', {
    POST: async (context) => {
      const all = [...models.config().models.keys()];
      if (wantsPlan(context)) return context.json(unloadPlan(models, all));
      await unload(models, all);
      return context.json({ msg: 'ok' });
    },
  });
  addRoute(app, `${unloadStart}*`, {
    POST: async (context) => {
      const wanted = [modelOf(context, models, unloadStart)];
      if (wantsPlan(context)) return context.json(unloadPlan(models, wanted));
      await unload(models, wanted);
      return context.text('OK');
    },
  });
  addRoute(app, `${loadStart}*`, { POST: (context) => load(context, deps) });
  addProfileRoutes(app, deps);
}

/** With `wait=false` at once; a failed load is then seen in `/running` and in the log. */
async function load(context: Context, { models, log }: Deps): Promise<Response> {
  const { wait } = checkQuery(context, loadQuery);
  const model = modelOf(context, models, loadStart);
  if (wantsPlan(context)) return context.json(loadPlan(models, model));
  const loading = models.load(model);
  if (wait === 'false') {
    loading.catch((error: unknown) => log.info({ model, reason: String(error) }, 'Model was not loaded'));
    return context.json({ model_id: model, loaded: models.stateOf(model) === 'ready' }, 202);
  }
  await loading;
  return context.json({ model_id: model, loaded: true });
}

function addProfileRoutes(app: Hono, { profile }: Deps): void {
  addRoute(app, '/api/profiles', {
    GET: (context) => {
      const profiles = [...profile.all.values()].map(({ name, description, pins }) => ({
        id: name,
        description,
        pins: Object.fromEntries([...pins].map(([requested, target]) => [requested, target ?? ''])),
      }));
      return context.json({ active: profile.name ?? null, profiles } satisfies ProfilesBody);
    },
  });
  addRoute(app, '/api/profiles/active', {
    PUT: async (context) => {
      const body: unknown = await context.req.json().catch(() => undefined);
      const { name } = check(profileChoice, body);
      if (!profile.choose(name ?? undefined)) {
        throw new LlameroError('not_found', `There is no profile '${name ?? ''}'`, { param: 'name' });
      }
      return context.json({ active: profile.name ?? null });
    },
  });
}

function runningBody(models: ModelControl): RunningBody {
  const running: RunningBody['running'] = [];
  for (const model of models.config().models.values()) {
    const state = models.stateOf(model.id);
    if (state === 'starting' || state === 'ready' || state === 'stopping')
      running.push(describe(model, state));
  }
  return { running };
}

function describe(
  model: ResolvedModel,
  state: RunningBody['running'][number]['state'],
): RunningBody['running'][number] {
  const { id, cmd, proxy, ttlMs, name, description } = model;
  return { model: id, state, cmd, proxy, ttl: ttlMs / 1000, name, description };
}

/** @throws LlameroError unload_timeout with those that are still there. */
async function unload(models: ModelControl, wanted: readonly ModelName[]): Promise<void> {
  const stopped = await Promise.all(wanted.map((model) => models.unload(model)));
  const left = wanted.filter((_model, index) => stopped[index] === false);
  if (left.length === 0) return;
  const states = left.map((model) => `'${model}' is ${models.stateOf(model) ?? 'gone'}`);
  throw new LlameroError('unload_timeout', `Not stopped in time: ${states.join(', ')}`);
}

function modelOf(context: Context, models: ModelControl, start: string): ModelName {
  const name = restOfPath(context, start);
  const model = models.find(name);
  if (model !== undefined) return model;
  throw new LlameroError('model_not_found', `There is no model '${name}' of this router`, { param: 'model' });
}
