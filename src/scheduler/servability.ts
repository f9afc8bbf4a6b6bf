/** Whether a request can be served at all: now, perhaps later, or never. Reads the fleet and changes nothing. */
import type { LoadFailure } from '../domain/backend-view.ts';
import type { BackendId } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { RejectReason } from './effects.ts';
import type { Entry } from './entry.ts';
import type { Fleet } from './fleet.ts';
import type { Ledger, Seat } from './ledger.ts';
import { fitsContext } from './policies/filters/context-fits.ts';
import type { Misfit } from './residency/planner.ts';
import type { ServedModel } from './served-model.ts';

/**
 * live: a live backend serves it. cold: a process does when it is loaded. dead: none does now, one may come back or turn
 * out to. Else: the reason to refuse it.
 */
export type Servability =
  | 'live'
  | 'cold'
  | 'dead'
  | Extract<
      RejectReason,
      'noBackend' | 'modelUnknown' | 'contextTooLong' | 'exhausted' | 'loadFailed' | 'doesNotFit'
    >;

/** What one seat promises. failed: its process may not be started yet. misfit: it may never be. */
type Outlook = 'live' | 'cold' | 'failed' | 'misfit' | 'dead';

/** Whether somebody with this verdict may wait; else it is the reason to refuse them. */
export function mayWait(verdict: Servability): verdict is 'live' | 'cold' | 'dead' {
  return verdict === 'live' || verdict === 'cold' || verdict === 'dead';
}

/** What of a request decides where it may go. */
export interface Demand {
  readonly request: RequestFacts;
  readonly failedOn: ReadonlySet<BackendId>;
}

/** Costs a look at each backend that serves the model at worst, at one of them when it is live. */
export function judge(demand: Demand, model: ServedModel, fleet: Fleet): Servability {
  let serves = false;
  const found = new Set<Outlook>();
  for (const seat of model.seats) {
    if (!isAllowed(seat.ledger.id, demand)) continue;
    serves = true;
    if (!fitsContext(seat.contextTokens, demand.request)) continue;
    const outlook = outlookOf(seat);
    if (outlook === 'live') return outlook;
    found.add(outlook);
  }
  if (found.has('cold')) return 'cold';
  if (found.has('failed')) return 'loadFailed';
  if (found.has('misfit')) return 'doesNotFit';
  if (found.has('dead') || mayTurnOut(demand, fleet)) return 'dead';
  if (serves) return 'contextTooLong';
  if (demand.failedOn.size > 0) return 'exhausted';
  return hasAllowed(demand, fleet) ? 'modelUnknown' : 'noBackend';
}

/** Whether another attempt makes sense at once, after a load or after a probe; backends that are dead do not count. */
export function hasAlternative(demand: Demand, model: ServedModel, fleet: Fleet): boolean {
  const servability = judge(demand, model, fleet);
  return servability === 'live' || servability === 'cold' || mayTurnOut(demand, fleet);
}

/** Whether a request may go to a seat, whatever the state of its backend. */
export function canUse(seat: Seat, demand: Demand): boolean {
  return isAllowed(seat.ledger.id, demand) && fitsContext(seat.contextTokens, demand.request);
}

/** Whether a live backend may have it on which the model has not failed of late; one with room where it cannot wait. */
export function hasTrusted(demand: Demand, { seats }: ServedModel, hasQueue: boolean): boolean {
  return seats.some(
    (seat) =>
      (hasQueue ? seat.ledger.isHealthy : seat.ledger.ready) &&
      (seat.model === undefined || seat.view.distrusted?.has(seat.model) !== true) &&
      canUse(seat, demand),
  );
}

/** Everybody who waits for this backend and has no other one to wait for. */
export function strandedBy(ledger: Ledger, fleet: Fleet): readonly Entry[] {
  const stranded: Entry[] = [];
  for (const [name, seat] of ledger.seats) {
    if (name === undefined) continue;
    for (const { entries, model } of fleet.model(name).lanes.values()) {
      const { first } = entries;
      if (first === undefined || !canUse(seat, first)) continue;
      const others = model.seats.filter((other) => other !== seat && canUse(other, first));
      const mayStay = others.map(outlookOf).some((outlook) => outlook === 'live' || outlook === 'cold');
      if (!mayStay) stranded.push(...entries);
    }
  }
  return stranded;
}

/** Processes that could be started for a request; none as long as another one of the model runs or starts. */
export function loadable(demand: Demand, model: ServedModel): readonly Ledger[] {
  const found: Ledger[] = [];
  for (const seat of model.seats) {
    if (!canUse(seat, demand)) continue;
    const outlook = outlookOf(seat);
    const phase = seat.ledger.book?.phase;
    if (outlook === 'live' || phase === 'starting') return [];
    if (outlook === 'cold' && phase === 'stopped') found.push(seat.ledger);
  }
  return found;
}

/** Why a request cannot be served where its model would have to be loaded: the failure that may be over first. */
export function failureFor(demand: Demand, model: ServedModel): LoadFailure | undefined {
  let first: LoadFailure | undefined;
  for (const seat of model.seats) {
    const failure = canUse(seat, demand) ? seat.view.process?.failure : undefined;
    if (failure !== undefined && failure.retryAtMs < (first?.retryAtMs ?? Infinity)) first = failure;
  }
  return first;
}

/** What stands in the way of a request whose model can never be loaded. */
export function misfitFor(demand: Demand, model: ServedModel): Misfit | undefined {
  for (const seat of model.seats) {
    const misfit = canUse(seat, demand) ? seat.ledger.book?.misfit : undefined;
    if (misfit !== undefined) return misfit;
  }
  return undefined;
}

function outlookOf({ ledger, model }: Seat): Outlook {
  const { book } = ledger;
  if (book === undefined) return ledger.isHealthy ? 'live' : 'dead';
  if (book.phase === 'ready') {
    // Whoever comes after the wish to stop it waits for its next run.
    if (book.unloadByMs !== undefined) return 'cold';
    return ledger.isHealthy ? 'live' : 'dead';
  }
  // A request without a model is no reason to load any.
  if (model === undefined) return 'dead';
  if (book.phase === 'stopped' && book.misfit !== undefined) return 'misfit';
  return book.isBackingOff ? 'failed' : 'cold';
}

/** Whether a backend that may serve it has not been probed yet. */
function mayTurnOut(demand: Demand, fleet: Fleet): boolean {
  if (!fleet.hasUnknown) return false;
  for (const { id, present, view } of fleet.ledgers) {
    if (present && view.state === 'unknown' && isAllowed(id, demand)) return true;
  }
  return false;
}

function hasAllowed(demand: Demand, fleet: Fleet): boolean {
  for (const { id, present } of fleet.ledgers) if (present && isAllowed(id, demand)) return true;
  return false;
}

function isAllowed(id: BackendId, { request, failedOn }: Demand): boolean {
  return !failedOn.has(id) && (request.only === undefined || request.only.has(id));
}
