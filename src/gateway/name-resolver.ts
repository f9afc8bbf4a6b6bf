/**
 * What a requested name stands for at this moment: pin of the active profile → selector → model of our own, with its
 * aliases → backend → model of a peer. Owns no state but that of the selectors; places no requests.
 */
import { nearestName } from '../base/nearest-name.ts';
import type { ModelsConfig, ResolvedName, SelectorTarget, ServedTarget } from '../config/models.ts';
import { createModelNames, qualifiedName, type ModelNames } from '../config/names.ts';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Backend } from '../engines/backend.ts';
import type { ActiveProfile } from './active-profile.ts';
import { isPlain, isUp, type Fleet } from './fleet.ts';
import { Selectors, type TargetState } from './selectors.ts';

export interface Meaning {
  /** What the scheduler and every count know the model by: the id of our own, `PEER/MODEL`, or a backend's name for it. */
  readonly model: ModelName;
  /** What the request asks for after pins and selectors: the name it carries on, unless its backend wants another. */
  readonly requested: string;
  /** Id of the selector that chose. */
  readonly selector: string | undefined;
  /** The same model elsewhere, for when nobody that has `model` can be reached. */
  readonly alternatives: readonly ModelName[];
  /** To be called when the request has ended, however; further calls do nothing. */
  readonly release: () => void;
}

export interface NameResolverOptions {
  readonly models: () => ModelsConfig;
  readonly profile: ActiveProfile;
  readonly fleet: Fleet;
  /** Clock time. */
  readonly nowMs: () => number;
}

const nothing = (): void => {};

export class NameResolver {
  readonly profile: ActiveProfile;
  readonly #models: () => ModelsConfig;
  readonly #fleet: Fleet;
  readonly #nowMs: () => number;
  readonly #selectors = new Selectors();
  #configured: { readonly by: ModelsConfig; readonly names: ModelNames } | undefined;

  constructor({ models, profile, fleet, nowMs }: NameResolverOptions) {
    this.profile = profile;
    this.#models = models;
    this.#fleet = fleet;
    this.#nowMs = nowMs;
  }

  /**
   * A name that nobody knows stands for itself: a backend that was never asked may have it. An error: the active
   * profile disables the name, or a selector has no target that can be used.
   */
  lookUp(name: string): Meaning | LlameroError {
    const pinned = this.unpin(name);
    if (pinned instanceof LlameroError) return pinned;
    const found = this.find(pinned);
    if (found?.kind !== 'selector') return this.#plain(pinned, found);
    const { selector } = found;
    const choice = this.#selectors.choose(selector, (target) => this.#stateOf(target));
    if (choice === undefined) {
      return new LlameroError(
        'no_backend',
        `Selector '${selector.id}' has no available ${selector.strategy} targets`,
        { param: 'model', retryAfterS: 1 },
      );
    }
    const { target, release } = choice;
    return { ...this.#plain(target.requested, target), selector: selector.id, release };
  }

  /** The name that the active profile puts in place of this one; the same where it says nothing of it. */
  unpin(name: string): string | LlameroError {
    const profile = this.profile.current;
    if (profile === undefined || !profile.pins.has(name)) return name;
    const target = profile.pins.get(name);
    if (target !== undefined) return target;
    const message = `Model '${name}' is disabled by the profile '${profile.name}'`;
    return new LlameroError('model_not_found', message, { param: 'model' });
  }

  /** What the configuration means by a name, pins aside. undefined: nothing; a backend may know it. */
  find(name: string): ResolvedName | undefined {
    const found = this.#names().resolve(name);
    const isBare = found?.kind === 'peer' && name === found.model;
    return isBare && this.#isOnBackend(name) ? undefined : found;
  }

  /** A name that is known and looks like this one. */
  nearest(name: string): string | undefined {
    return nearestName(name, this.all());
  }

  /** Every name that a client can use. */
  all(): ReadonlySet<string> {
    const names = new Set([...this.#fleet.names().keys(), ...this.#names().all()]);
    for (const [name, target] of this.profile.current?.pins ?? []) {
      if (target === undefined) names.delete(name);
      else names.add(name);
    }
    return names;
  }

  #names(): ModelNames {
    const by = this.#models();
    if (this.#configured?.by !== by) this.#configured = { by, names: createModelNames(by) };
    return this.#configured.names;
  }

  #plain(requested: string, found: ServedTarget | undefined): Meaning {
    const common = { requested, selector: undefined, release: nothing };
    if (found?.kind === 'model') return { ...common, model: found.model, alternatives: [] };
    if (found === undefined) return { ...common, model: requested, alternatives: [] };
    const [model, ...alternatives] = this.#onPeers(found);
    return { ...common, model: model ?? requested, alternatives };
  }

  /** The peer that was asked for, then the others that have a model of the same name; those that are alive first. */
  #onPeers({ peer, model }: ServedTarget & { readonly kind: 'peer' }): ModelName[] {
    const others = [...this.#models().peers.values()]
      .filter((other) => other.id !== peer && other.models.includes(model))
      .map(({ id }) => id);
    const names = [peer, ...others].map((id) => qualifiedName(id, model));
    const isAlive = (name: ModelName): boolean => (this.#fleet.names().get(name) ?? []).some(isUp);
    return [...names.filter(isAlive), ...names.filter((name) => !isAlive(name))];
  }

  #isOnBackend(name: string): boolean {
    const serving = this.#fleet.names().get(name) ?? [];
    return serving.some(isPlain);
  }

  #stateOf(target: SelectorTarget): TargetState {
    const name = target.kind === 'model' ? target.model : qualifiedName(target.peer, target.model);
    const serving = this.#fleet.names().get(name) ?? [];
    const states = serving.map((backend) => stateOf(backend, this.#nowMs()));
    return (['ready', 'starting', 'cold'] as const).find((state) => states.includes(state)) ?? 'unusable';
  }
}

/** A peer counts as cold however alive it is: what it would have to load is not ours to know. */
function stateOf({ view, isPeer }: Backend, nowMs: number): TargetState {
  switch (view.state) {
    case 'live':
    case 'degraded':
      return isPeer === true ? 'cold' : 'ready';
    case 'starting':
      return 'starting';
    case 'stopped':
      return (view.process?.failure?.retryAtMs ?? 0) > nowMs ? 'unusable' : 'cold';
    case 'unknown':
      return 'cold';
    case 'stopping':
    case 'dead':
    case 'draining':
      return 'unusable';
  }
}
