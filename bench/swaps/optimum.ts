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

interface Stay {
  readonly waitMs: number;
  readonly busyUntilMs: number;
  readonly left: readonly Arrival[];
}

/** `swapMs`: from the decision until the next model is ready; the first one comes `loadMs` after its first request. */
export function findOptimum(
  arrivals: readonly Arrival[],
  { loadMs, swapMs }: { loadMs: number; swapMs: number },
): Optimum {
  const inOrder = arrivals.toSorted((one, other) => one.atMs - other.atMs);
  let best: Optimum = { waitMs: Infinity, loads: Infinity };
  const offer = (found: Optimum): void => {
    if (found.waitMs < best.waitMs || (found.waitMs === best.waitMs && found.loads < best.loads))
      best = found;
  };
  /** `model` is ready at `nowMs`, after so much waiting and so many loads. */
  const visit = (model: string, nowMs: number, left: readonly Arrival[], so: Optimum): void => {
    if (so.waitMs >= best.waitMs) return;
    for (let stay = serveUntil(model, nowMs, nowMs, left); ;) {
      const waitMs = so.waitMs + stay.waitMs;
      if (stay.left.length === 0) return offer({ waitMs, loads: so.loads });
      for (const next of new Set(stay.left.map((one) => one.model))) {
        if (next === model) continue;
        const first = stay.left.find((one) => one.model === next);
        const leave = idleFrom(model, nowMs, left, Math.max(stay.busyUntilMs, first?.atMs ?? 0));
        visit(next, leave.busyUntilMs + swapMs, leave.left, {
          waitMs: so.waitMs + leave.waitMs,
          loads: so.loads + 1,
        });
      }
      const another = stay.left.find((one) => one.model === model);
      if (another === undefined) return;
      stay = serveUntil(model, nowMs, another.atMs, left);
    }
  };
  for (const model of new Set(inOrder.map((one) => one.model))) {
    const first = inOrder.find((one) => one.model === model);
    visit(model, (first?.atMs ?? 0) + loadMs, inOrder, { waitMs: 0, loads: 1 });
  }
  return best;
}

/** Everything for the model that comes until then, and whatever comes while that is at work. */
function serveUntil(model: string, readyMs: number, untilMs: number, waiting: readonly Arrival[]): Stay {
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
