/** Whether a client that waits is to be told that its model is being loaded. Reads views; loads nothing. */
import type { ModelName } from '../domain/ids.ts';
import type { GatewayParts } from './gateway.ts';
import type { Inbound } from './inbound.ts';

/** The model, when it has to be loaded first and all that serve it want its clients to be told. */
export function modelToLoad(
  parts: GatewayParts,
  { modelInPath }: Inbound,
  model: ModelName | undefined,
): ModelName | undefined {
  if (model === undefined || modelInPath !== undefined) return undefined;
  const serving = parts.fleet.names().get(model) ?? [];
  const { models } = parts.models();
  const isTold =
    serving.length > 0 &&
    serving.every(({ id, view }) => !view.loaded.has(id) && models.get(id)?.sendLoadingState === true);
  return isTold ? model : undefined;
}
