/** Whether a request can be served at all: now, perhaps later, or never. Reads the fleet and changes nothing. */
import type { BackendId } from '../domain/ids.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import type { RejectReason } from './effects.ts';
import type { Fleet } from './fleet.ts';
import { fitsContext } from './policies/filters/context-fits.ts';
import type { ServedModel } from './served-model.ts';

/** live: a live backend serves it. dead: none does now, one may come back or turn out to. Else: the reason to refuse it. */
export type Servability =
  | 'live'
  | 'dead'
  | Extract<RejectReason, 'noBackend' | 'modelUnknown' | 'contextTooLong' | 'exhausted'>;

/** What of a request decides where it may go. */
export interface Demand {
  readonly request: RequestFacts;
  readonly failedOn: ReadonlySet<BackendId>;
}

/** Costs a look at each backend that serves the model at worst, at one of them when it is live. */
export function judge(demand: Demand, model: ServedModel, fleet: Fleet): Servability {
  let serves = false;
  let fits = false;
  for (const seat of model.seats) {
    if (!isAllowed(seat.ledger.id, demand)) continue;
    serves = true;
    if (!fitsContext(seat.contextTokens, demand.request)) continue;
    if (seat.ledger.isHealthy) return 'live';
    fits = true;
  }
  if (fits || mayTurnOut(demand, fleet)) return 'dead';
  if (serves) return 'contextTooLong';
  if (demand.failedOn.size > 0) return 'exhausted';
  return hasAllowed(demand, fleet) ? 'modelUnknown' : 'noBackend';
}

/** Whether another attempt makes sense at once or after a probe; backends that are dead do not count. */
export function hasAlternative(demand: Demand, model: ServedModel, fleet: Fleet): boolean {
  return judge(demand, model, fleet) === 'live' || mayTurnOut(demand, fleet);
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
