/** Where a WebSocket may go: to the model that its path or query names, else to any plain backend. */
import { LlameroError } from '../domain/errors.ts';
import { isUp } from './fleet.ts';
import type { GatewayParts } from './gateway.ts';
import { refuseAccess } from './keys/model-access.ts';
import type { Meaning } from './name-resolver.ts';
import { createInTurnPlacer, type Placer } from './placer.ts';
import { otherRoute } from './routes.ts';
import type { UpgradeRequest } from './upgrade.ts';

export interface PlacedUpgrade {
  /** undefined: it names no model, or one that nobody knows. */
  readonly meaning: Meaning | undefined;
  readonly placer: Placer;
}

/** `query`: without its question mark. */
export function placeUpgrade(
  parts: GatewayParts,
  request: Pick<UpgradeRequest, 'modelInPath' | 'query' | 'path' | 'key'>,
): PlacedUpgrade | LlameroError {
  const { names, fleet, dispatcher } = parts;
  const { modelInPath, query } = request;
  const model = new URLSearchParams(query).get('model') || undefined;
  const denied = refuseAccess(parts, { ...request, route: otherRoute }, { model, hidesModel: false });
  if (denied !== undefined) return denied;
  const requested = modelInPath ?? model;
  const meaning = requested ? names.lookUp(requested) : undefined;
  if (meaning instanceof LlameroError) return meaning;
  if (!meaning || !fleet.names().has(meaning.model)) {
    return { meaning: undefined, placer: inTurn(parts, fleet.unnamed()) };
  }
  if (parts.models().models.get(meaning.model)?.ignoreWebsockets !== true)
    return { meaning, placer: dispatcher };
  // It counts as nothing, so it holds no place at its target either.
  meaning.release();
  const own = fleet.get(meaning.model);
  if (own === undefined || !isUp(own)) {
    return new LlameroError(
      'model_not_loaded',
      `Model '${meaning.model}' is not loaded, and a WebSocket does not load it`,
    );
  }
  return { meaning, placer: inTurn(parts, [own]) };
}

function inTurn({ clock }: GatewayParts, backends: Parameters<typeof createInTurnPlacer>[0]): Placer {
  return createInTurnPlacer(backends.filter(isUp), clock.nowMs());
}
