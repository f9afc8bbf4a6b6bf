/** What the fleet knows of its models, as Ollama's lists need it. Asks no engine. */
import type { ModelFacts, Moment, RunningModel } from '../../dialects/ollama-surface/listing.ts';
import type { Backend } from '../../engines/backend.ts';
import type { KeyRules } from '../../keys/key-rules.ts';
import { listingSource } from '../answer-listing.ts';
import type { GatewayParts } from '../gateway.ts';
import { withoutForbidden } from '../keys/model-access.ts';
import { listModels } from '../listing.ts';
import type { ModelEntry } from '../listing.ts';

/** Everything that a caller with this key can ask for by name; without what is unlisted, unless `all`. */
export function modelFacts(
  parts: GatewayParts,
  key: KeyRules | undefined,
  options: { readonly all?: boolean } = {},
): ModelFacts[] {
  return withoutForbidden(parts, key, listModels(listingSource(parts), options)).map((entry) =>
    factsOf(parts, entry),
  );
}

/** What is in memory, once for each backend that has it, by the names that this key may use. */
export function runningModels(parts: GatewayParts, key: KeyRules | undefined): RunningModel[] {
  const entries = withoutForbidden(parts, key, listModels(listingSource(parts)));
  return parts.registry.list().flatMap((backend) => {
    const seen = new Set<string>();
    return entries.flatMap((entry): RunningModel[] => {
      const nameThere = nameOf(backend, entry.id);
      const isNew = entry.llamero.backends.includes(backend.id) && !seen.has(nameThere);
      if (!isNew || !backend.view.loaded.has(nameThere)) return [];
      seen.add(nameThere);
      return [{ model: factsAt(backend, entry), backend: backend.id, nameThere }];
    });
  });
}

function factsOf({ fleet }: GatewayParts, entry: ModelEntry): ModelFacts {
  const { id, llamero } = entry;
  const serving = llamero.backends.map((backend) => fleet.get(backend)).filter((one) => one !== undefined);
  const [first = serving[0]] = serving.filter((backend) => backend.view.loaded.has(nameOf(backend, id)));
  return factsAt(first, entry);
}

/** `backend`: whose memory is told of. */
function factsAt(backend: Backend | undefined, entry: ModelEntry): ModelFacts {
  const { id, llamero } = entry;
  const name = backend && nameOf(backend, id);
  const isLoaded = name !== undefined && backend?.view.loaded.has(name) === true;
  const ttlMs = backend?.view.process?.ttlMs ?? 0;
  return {
    id,
    object: entry,
    running: isLoaded ? backend?.modelObjects.get(name) : undefined,
    backends: llamero.backends,
    loaded: llamero.loaded,
    contextTokens: name === undefined ? undefined : backend?.view.contextTokens.get(name),
    vramBytes: backend?.memory?.need.vramBytes,
    idleMsMax: ttlMs > 0 ? ttlMs : undefined,
  };
}

function nameOf({ view }: Backend, id: string): string {
  return view.models.get(id) ?? id;
}

export function momentOf({ clock }: GatewayParts): Moment {
  const nowMs = clock.epochMs();
  // The clock that measures began with the program.
  return { nowMs, startedMs: nowMs - clock.nowMs() };
}
