/**
 * What of the fleet an API key may reach: which names, which routes, and which engines beside their routes. The same rule
 * for requests and for lists. Counts nothing: key-pass.ts does.
 */
import type { SelectorTarget, ServedTarget } from '../../config/models.ts';
import { qualifiedName } from '../../config/names.ts';
import { LlameroError } from '../../domain/errors.ts';
import type { ModelName } from '../../domain/ids.ts';
import { namesModel, type KeyRules } from '../../keys/key-rules.ts';
import { findEnsemble, membersOf } from '../ensemble/find-ensemble.ts';
import type { GatewayParts } from '../gateway.ts';
import type { ModelEntry } from '../listing.ts';
import { findOllamaName } from '../ollama/find-name.ts';
import type { BodyFacts } from '../peek.ts';
import type { Route } from '../routes.ts';

type Parts = Pick<GatewayParts, 'config' | 'names' | 'fleet'>;

export interface KeyedRequest {
  /** undefined: callers need none. */
  readonly key: KeyRules | undefined;
  readonly route: Pick<Route, 'name' | 'dialect'>;
  readonly path: string;
  readonly modelInPath: ModelName | undefined;
}

/** `named`: by body or query. undefined: the request may go on. */
export function refuseAccess(
  parts: Parts,
  request: KeyedRequest,
  { model, hidesModel }: Pick<BodyFacts, 'model' | 'hidesModel'>,
): LlameroError | undefined {
  const { key, route, path, modelInPath } = request;
  if (key === undefined) return undefined;
  if (key.routes?.has(route.name) === false) {
    return new LlameroError('route_not_allowed', `The API key '${key.name}' may not use ${path}`);
  }
  if (key.models === undefined) return undefined;
  const asked = modelInPath ?? ollamaName(parts, route, model) ?? model ?? parts.fleet.onlyModel();
  if (asked === undefined) {
    return denied(`The request names no model, and the API key '${key.name}' may not use every one`);
  }
  if (!mayUseModel(parts, key, asked)) {
    return denied(`The API key '${key.name}' may not use the model '${asked}'`);
  }
  // There the engine alone knows which of its models is meant.
  const isUnclear =
    route.name === 'other' ||
    hidesModel ||
    (modelInPath !== undefined && model !== undefined && !mayUseModel(parts, key, model));
  if (isUnclear && reachesOthers(parts, key, asked)) {
    return denied(`The API key '${key.name}' may not use every model of the engine that ${path} leads to`);
  }
  return undefined;
}

/** True when the name is allowed, or what stands behind it: of a selector all targets, of an ensemble all members. */
export function mayUseModel(parts: Parts, key: KeyRules, name: ModelName): boolean {
  if (namesModel(key, name)) return true;
  const ensemble = findEnsemble(parts, name);
  if (ensemble !== undefined) return membersOf(ensemble).every((member) => mayUseModel(parts, key, member));
  const { names, fleet } = parts;
  const pinned = names.unpin(name);
  if (pinned instanceof LlameroError) return false;
  const found = names.find(pinned);
  if (found?.kind === 'selector') return found.selector.targets.every((target) => mayBeChosen(key, target));
  if (found !== undefined) return isNamed(key, found);
  if (namesModel(key, pinned)) return true;
  const serving = fleet.names().get(pinned) ?? [];
  return (
    serving.length > 0 && serving.every(({ view }) => namesModel(key, view.models.get(pinned) ?? pinned))
  );
}

/** What a key may ask for, each under a name that it may use. */
export function withoutForbidden(
  parts: Parts,
  key: KeyRules | undefined,
  entries: readonly ModelEntry[],
): readonly ModelEntry[] {
  if (key?.models === undefined) return entries;
  return entries.flatMap((entry) => {
    const [id, ...aliases] = [entry.id, ...entry.aliases].filter((name) => mayUseModel(parts, key, name));
    return id === undefined ? [] : [{ ...entry, id, aliases }];
  });
}

function mayBeChosen(key: KeyRules, target: SelectorTarget): boolean {
  return namesModel(key, target.requested) || isNamed(key, target);
}

function isNamed(key: KeyRules, target: ServedTarget): boolean {
  return namesModel(key, nameOf(target));
}

function nameOf(target: ServedTarget): ModelName {
  return target.kind === 'model' ? target.model : qualifiedName(target.peer, target.model);
}

function ollamaName(
  parts: Parts,
  { dialect }: KeyedRequest['route'],
  model: ModelName | undefined,
): ModelName | undefined {
  return dialect === 'ollama' && model !== undefined ? findOllamaName(parts, model) : undefined;
}

function reachesOthers(parts: Parts, key: KeyRules, asked: ModelName): boolean {
  const { names, fleet } = parts;
  const meant = names.unpin(asked);
  const found = meant instanceof LlameroError ? undefined : names.find(meant);
  const targets = found === undefined ? [] : found.kind === 'selector' ? found.selector.targets : [found];
  const models = targets.length === 0 ? [asked] : targets.map(nameOf);
  const serving = models.flatMap((model) => fleet.names().get(model) ?? []);
  return serving.some(({ view }) => [...view.models.keys()].some((name) => !mayUseModel(parts, key, name)));
}

function denied(message: string): LlameroError {
  return new LlameroError('model_not_allowed', message, { param: 'model' });
}
