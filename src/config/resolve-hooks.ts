/** The commands that a model has run around it: the global ones that mean it, then its own. Pure. */
import type { ResolvedHook, ResolvedHooks } from './models.ts';
import { environmentOf } from './environment.ts';
import type { Config, ModelEntry } from './schema.ts';
import type { Finding } from './problems.ts';

type HookEntry = Config['hooks']['on_load' | 'on_unload'][number] | ModelEntry['hooks']['on_load'][number];

const hookTimeoutMsDefault = 30_000;

/** `names`: the id of the model and its aliases. */
export function resolveHooks(
  names: readonly string[],
  own: ModelEntry['hooks'],
  all: Config['hooks'],
): ResolvedHooks {
  const resolve = (entries: readonly HookEntry[]): ResolvedHook[] =>
    entries.filter((entry) => isMeant(names, entry)).map(resolveHook);
  return {
    onLoad: resolve([...all.on_load, ...own.on_load]),
    onUnload: resolve([...all.on_unload, ...own.on_unload]),
  };
}

/** `isKnown`: whether a name is that of a local model. */
export function checkHooks({ hooks }: Config, isKnown: (name: string) => boolean): Finding[] {
  return (['on_load', 'on_unload'] as const).flatMap((event) =>
    hooks[event].flatMap((entry, index) =>
      modelsOf(entry).flatMap((name, at): Finding[] => {
        if (isKnown(name)) return [];
        const path = ['hooks', event, index, 'models', at];
        return [{ path, message: `'${name}' is no local model`, code: 'config_reference' }];
      }),
    ),
  );
}

function isMeant(names: readonly string[], entry: HookEntry): boolean {
  if (typeof entry === 'string' || !('models' in entry) || entry.models === undefined) return true;
  return entry.models.some((name) => names.includes(name));
}

function modelsOf(entry: HookEntry): readonly string[] {
  return typeof entry === 'object' && 'models' in entry ? (entry.models ?? []) : [];
}

function resolveHook(entry: HookEntry): ResolvedHook {
  if (typeof entry === 'string') {
    return { cmd: entry, env: {}, timeoutMs: hookTimeoutMsDefault, required: false };
  }
  const { cmd, env, timeout } = entry;
  return {
    cmd,
    env: environmentOf(env),
    timeoutMs: timeout,
    required: 'required' in entry && entry.required,
  };
}
