/**
 * Models that come back to a router from others which only have them from it. Each router writes into its model list by
 * way of whom it has a model (`llamero.via`); what has our own signature there is no news. Pure.
 */
import type { EngineReading } from './engine-kind.ts';

/** Whether a model list is that of another Llamero. */
export function isRoutersList(list: unknown): boolean {
  return typeof list === 'object' && list !== null && 'llamero' in list;
}

/** Signatures of the routers between here and the engine of a model, the nearest to the engine first; empty = none. */
export function routersBehind(object: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  const own = object?.['llamero'];
  const via = typeof own === 'object' && own !== null && 'via' in own ? own.via : undefined;
  return Array.isArray(via) ? via.filter((name) => typeof name === 'string') : [];
}

/** The reading without the models that its engine has by way of the router of this signature. */
export function withoutEcho(reading: EngineReading, signature: string): EngineReading {
  const { models, loaded, modelObjects } = reading;
  const echoes = new Set(
    [...(modelObjects ?? [])]
      .filter(([, object]) => routersBehind(object).includes(signature))
      .map(([id]) => id),
  );
  if (echoes.size === 0) return reading;
  return {
    ...reading,
    models: models && new Map([...models].filter(([, canonical]) => !echoes.has(canonical))),
    loaded: loaded && new Set([...loaded].filter((id) => !echoes.has(id))),
    modelObjects: modelObjects && new Map([...modelObjects].filter(([id]) => !echoes.has(id))),
  };
}
