/** What the fleet knows of its models, as Ollama's lists need it. Asks no engine. */
import type { ModelFacts, Moment } from '../../dialects/ollama-surface/listing.ts';
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

function factsOf({ fleet }: GatewayParts, entry: ModelEntry): ModelFacts {
  const { id, llamero } = entry;
  const serving = llamero.backends.map((backend) => fleet.get(backend)).filter((one) => one !== undefined);
  const holders = serving.filter((backend) => holds(backend, id));
  const [first = serving[0]] = holders;
  const ttlMs = first?.view.process?.ttlMs ?? 0;
  return {
    id,
    object: entry,
    running: holders[0]?.modelObjects.get(nameThere(holders[0], id)),
    backends: llamero.backends,
    loaded: llamero.loaded,
    contextTokens: first?.view.contextTokens.get(nameThere(first, id)),
    vramBytes: first?.memory?.need.vramBytes,
    idleMsMax: ttlMs > 0 ? ttlMs : undefined,
  };
}

function holds(backend: Backend, id: string): boolean {
  return backend.view.loaded.has(nameThere(backend, id));
}

function nameThere({ view }: Backend, id: string): string {
  return view.models.get(id) ?? id;
}

export function momentOf({ clock }: GatewayParts): Moment {
  const nowMs = clock.epochMs();
  // The clock that measures began with the program.
  return { nowMs, startedMs: nowMs - clock.nowMs() };
}
