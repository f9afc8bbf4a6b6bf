/** The kinds of event that are measured, and the fleets that they happen to. */
import type { SchedulerEvent } from '../../src/scheduler/events.ts';
import { slotsPerBackend, type Fleet, type FleetSize } from './fleet.ts';

export interface Scenario {
  readonly name: string;
  readonly size: FleetSize;
  /** Before each event, not timed. */
  prepare(fleet: Fleet): void;
  /** What is timed. */
  next(fleet: Fleet): SchedulerEvent;
}

const large = { backends: 1000, models: 20, queued: 100_000, flows: 200, sessions: 5000 };
const small = { backends: 10, models: 200, queued: 20, flows: 20, sessions: 20 };
const tickMs = 0.2;
/** After this no backend is kept for the model that it served last. */
const pauseMs = 4000;

export const scenarios: readonly Scenario[] = [
  {
    name: 'large, a slot in ten in use: arrival',
    size: { ...large, queued: 0 },
    prepare: (fleet) => idle(fleet),
    next: (fleet) => fleet.arrival(),
  },
  { name: 'large, full: arrival', size: large, prepare: tick, next: (fleet) => fleet.arrival() },
  { name: 'large, full: end, next one granted', size: large, prepare: tick, next: (fleet) => fleet.end() },
  { name: 'large, full: cancel', size: large, prepare: refill, next: (fleet) => fleet.cancel() },
  {
    name: 'large, full: slot reading, nothing freed',
    size: large,
    prepare: tick,
    next: (fleet) => fleet.reading(Math.floor(fleet.nowMs / tickMs) % large.backends, slotsPerBackend),
  },
  {
    name: 'small, a slot in ten in use: arrival',
    size: { ...small, queued: 0 },
    prepare: (fleet) => idle(fleet),
    next: (fleet) => fleet.arrival(),
  },
  {
    name: 'small, full: arrival',
    size: small,
    prepare: (fleet) => {
      tick(fleet);
      fleet.play(fleet.end());
    },
    next: (fleet) => fleet.arrival(),
  },
  { name: 'small, full: end, next one granted', size: small, prepare: refill, next: (fleet) => fleet.end() },
];

function tick(fleet: Fleet): void {
  fleet.nowMs += tickMs;
}

/** As many wait as at the beginning. */
function refill(fleet: Fleet): void {
  tick(fleet);
  while (fleet.waiting < fleet.size.queued) fleet.play(fleet.arrival());
}

/** A tenth of the slots stays in use, and nobody waits. */
function idle(fleet: Fleet): void {
  while (fleet.running > (fleet.size.backends * slotsPerBackend) / 10) fleet.play(fleet.end());
  fleet.nowMs += pauseMs;
  fleet.play({ type: 'timePassed', nowMs: fleet.nowMs });
}
