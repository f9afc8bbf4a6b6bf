/**
 * Chooses the target of a selector and counts what runs at each: the state that spillover needs between requests. Knows
 * of a target only what it is told; starts nothing.
 */
import type { ResolvedSelector, SelectorTarget } from '../config/models.ts';

/** cold: would have to be loaded, or is a peer. unusable: is being stopped, is dead, or crashed a moment ago. */
export type TargetState = 'ready' | 'starting' | 'cold' | 'unusable';

/** A target for one request. */
export interface Choice {
  readonly target: SelectorTarget;
  /** To be called when the request has ended, however; further calls do nothing. */
  readonly release: () => void;
}

interface Load {
  /** Requests by key of the target; absent = none. */
  readonly running: Map<string, number>;
  /** Place in the list after the target that was chosen last: where equals are looked at first. */
  next: number;
}

export class Selectors {
  /** By id of the selector, so that a reload does not lose what runs. */
  readonly #loads = new Map<string, Load>();

  /** undefined = no target can be used. */
  choose(selector: ResolvedSelector, stateOf: (target: SelectorTarget) => TargetState): Choice | undefined {
    const { strategy, targets } = selector;
    if (strategy === 'spillover') return this.#spill(selector, stateOf);
    const target =
      (strategy === 'warm'
        ? (firstOf(targets, stateOf, 'ready') ?? firstOf(targets, stateOf, 'starting'))
        : undefined) ?? targets[0];
    return target && { target, release: () => {} };
  }

  #spill(selector: ResolvedSelector, stateOf: (target: SelectorTarget) => TargetState): Choice | undefined {
    const load = this.#loadOf(selector.id);
    const usable = selector.targets
      .map((target, place) => ({
        target,
        place,
        state: stateOf(target),
        running: load.running.get(keyOf(target)) ?? 0,
      }))
      .filter(({ state }) => state !== 'unusable');
    const active = usable.filter(({ state, running }) => state !== 'cold' || running > 0);
    const cold = usable.find((candidate) => !active.includes(candidate));
    const least = Math.min(...active.map(({ running }) => running));
    const idlest = active.filter(({ running }) => running === least);
    const inTurn = idlest.find(({ place }) => place >= load.next) ?? idlest[0];
    const chosen = least < selector.spillover ? inTurn : (cold ?? inTurn);
    if (chosen === undefined) return undefined;
    load.next = (chosen.place + 1) % selector.targets.length;
    return { target: chosen.target, release: reserve(load.running, keyOf(chosen.target)) };
  }

  #loadOf(id: string): Load {
    let load = this.#loads.get(id);
    if (load === undefined) {
      load = { running: new Map(), next: 0 };
      this.#loads.set(id, load);
    }
    return load;
  }
}

function reserve(running: Map<string, number>, key: string): () => void {
  running.set(key, (running.get(key) ?? 0) + 1);
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    const left = (running.get(key) ?? 0) - 1;
    if (left > 0) running.set(key, left);
    else running.delete(key);
  };
}

function firstOf(
  targets: readonly SelectorTarget[],
  stateOf: (target: SelectorTarget) => TargetState,
  state: TargetState,
): SelectorTarget | undefined {
  return targets.find((target) => stateOf(target) === state);
}

function keyOf(target: SelectorTarget): string {
  return target.kind === 'model' ? target.model : `${target.peer}/${target.model}`;
}
