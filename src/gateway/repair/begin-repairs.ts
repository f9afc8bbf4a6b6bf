/** Ties the repairs of a request to its life: which are wanted for the backend that it is about to go to, and how its answer is watched. */
import type { Dialect } from '../../dialects/dialect.ts';
import type { ModelRequest } from '../../dialects/ir/request.ts';
import type { ModelName } from '../../domain/ids.ts';
import type { Backend } from '../../engines/backend.ts';
import type { RequestRecord } from '../../store/request-record.ts';
import { noteRepair } from '../answer-notes.ts';
import type { Route } from '../routes.ts';
import { isDialectRoute } from '../translation/dialect-routes.ts';
import type { UpstreamHandler } from '../upstream.ts';
import type { ContextSizes } from './context-sizes.ts';
import { RepairingHandler } from './repairing-handler.ts';
import { RequestRepairs } from './request-repairs.ts';

export interface RepairSource {
  readonly backend: Backend;
  /** By its canonical name on the backend; undefined = the request passes as it came. */
  readonly model: ModelName | undefined;
  readonly route: Route;
  readonly body: Buffer;
  /** The body, where it was read before. */
  readonly asked: ModelRequest | undefined;
  readonly contexts: ContextSizes;
  readonly record: RequestRecord;
}

/** For one request and one backend. undefined = none is wanted. Makes those that come before the first attempt. */
export function beginRepairs(source: RepairSource): RequestRepairs | undefined {
  const { backend, model, route, record } = source;
  record.repairs = [];
  if (model === undefined || !isDialectRoute(route.name) || !RequestRepairs.areWanted(backend))
    return undefined;
  return new RequestRepairs({
    ...source,
    model,
    route: route.name,
    onRepair: (repair) => noteRepair(record, repair),
  });
}

export interface WatchedAnswer {
  readonly dialect: Dialect | undefined;
  readonly handler: UpstreamHandler;
  /** Sends what the repairs have made of the request. */
  readonly onRepaired: () => void;
}

/** The handler, or who stands before it while a repair may still help. */
export function watchAnswer(repairs: RequestRepairs | undefined, watched: WatchedAnswer): UpstreamHandler {
  const { dialect, handler, onRepaired } = watched;
  if (repairs === undefined || dialect === undefined || !repairs.mayHelp) return handler;
  const tryRepair = repairs.tryRepair.bind(repairs);
  return new RepairingHandler({ dialect, handler, tryRepair, onRepaired });
}
