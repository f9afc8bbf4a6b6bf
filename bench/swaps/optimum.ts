/**
 * The least that a few requests could wait in all on a box with one model at a time, by somebody who knows the future: tries
 * every order of loads and every time to leave a model. Models are loaded only for requests that have come, and nobody is cut.
 */

export interface Arrival {
  readonly model: string;
  readonly atMs: number;
  readonly workMs: number;
}

export interface Optimum {
  readonly waitMs: number;
  /** Of the plan with that wait; of several the one with fewest. */
  readonly loads: number;
}

export interface Stay {
  readonly waitMs: number;
  readonly busyUntilMs: number;
  readonly left: readonly Arrival[];
}

export interface Costs {
  /** Of the first load. */
  readonly loadMs: number;
  /** From the decision to load another model until it is ready. */
  readonly swapMs: number;
}

/** The first model is ready `loadMs` after its first request. */
export function findOptimum(arrivals: readonly Arrival[], { loadMs, swapMs }: Costs): Optimum {
  const inOrder = arrivals.toSorted((one, other) => one.atMs - other.atMs);
  let best: Optimum = { waitMs: Infinity, loads: Infinity };
  for (const model of new Set(inOrder.map((one) => one.model))) {
    const first = inOrder.find((one) => one.model === model);
    const state = { model, readyMs: (first?.atMs ?? 0) + loadMs, left: inOrder };
    best = bestFrom(state, swapMs, { waitMs: 0, loads: 1 }, best);
  }
  return best;
}

/** A model is ready then, and these are not served; in the order of their arrivals. */
export interface State {
  readonly model: string;
  readonly readyMs: number;
  readonly left: readonly Arrival[];
}

/** The best way to go on. */
export function findOptimumFrom(state: State, { swapMs }: Costs): Optimum {
  return bestFrom(state, swapMs, { waitMs: 0, loads: 0 }, { waitMs: Infinity, loads: Infinity });
}

/** `so`: what there was before; `known`: the best so far. */
function bestFrom(state: State, swapMs: number, so: Optimum, known: Optimum): Optimum {
  let best = known;
  const offer = (found: Optimum): void => {
    if (found.waitMs < best.waitMs || (found.waitMs === best.waitMs && found.loads < best.loads))
      best = found;
  };
  /** `model` is ready at `nowMs`, after so much waiting and so many loads. */
  const visit = (model: string, nowMs: number, left: readonly Arrival[], before: Optimum): void => {
    if (before.waitMs >= best.waitMs) return;
    for (let stay = serveUntil(model, nowMs, nowMs, left); ;) {
      const waitMs = before.waitMs + stay.waitMs;
      if (stay.left.length === 0) return offer({ waitMs, loads: before.loads });
      for (const next of new Set(stay.left.map((one) => one.model))) {
        if (next === model) continue;
        const first = stay.left.find((one) => one.model === next);
        const leave = idleFrom(model, nowMs, left, Math.max(stay.busyUntilMs, first?.atMs ?? 0));
        visit(next, leave.busyUntilMs + swapMs, leave.left, {
          waitMs: before.waitMs + leave.waitMs,
          loads: before.loads + 1,
        });
      }
      const another = stay.left.find((one) => one.model === model);
      if (another === undefined) return;
      stay = serveUntil(model, nowMs, another.atMs, left);
    }
  };
  visit(state.model, state.readyMs, state.left, so);
  return best;
}

/** Serves everything for the model that comes until then, and whatever comes while that is at work. */
export function serveUntil(
  model: string,
  readyMs: number,
  untilMs: number,
  waiting: readonly Arrival[],
): Stay {
  let stay: Stay = { waitMs: 0, busyUntilMs: Math.max(readyMs, untilMs), left: waiting };
  for (;;) {
    const next = stay.left.find((one) => one.model === model && one.atMs <= stay.busyUntilMs);
    if (next === undefined) return stay;
    const startMs = Math.max(readyMs, next.atMs);
    stay = {
      waitMs: stay.waitMs + startMs - next.atMs,
      busyUntilMs: Math.max(stay.busyUntilMs, startMs + next.workMs),
      left: stay.left.filter((one) => one !== next),
    };
  }
}

/** The first moment from then on at which nothing for the model is at work. */
function idleFrom(model: string, readyMs: number, waiting: readonly Arrival[], fromMs: number): Stay {
  let stay = serveUntil(model, readyMs, fromMs, waiting);
  for (let last = fromMs; stay.busyUntilMs > last;) {
    last = stay.busyUntilMs;
    stay = serveUntil(model, readyMs, last, waiting);
  }
  return stay;
}
