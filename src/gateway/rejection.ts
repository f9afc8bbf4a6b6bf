/** Puts into words why the scheduler or a backend said no. */
import { isOwnShortage } from '../base/own-shortage.ts';
import { LlameroError } from '../domain/errors.ts';
import type { ModelName } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Config } from '../config/schema.ts';
import type { Rejection, RejectReason } from '../scheduler/effects.ts';
import type { CancelReason } from '../store/requests.ts';
import type { Fleet } from './fleet.ts';
import type { NameResolver } from './name-resolver.ts';
import type { UpstreamFailure } from './upstream.ts';

/** Seconds to wait where the scheduler has no better guess: about one probe interval, or a restart. */
const retryAfterDefaultS = 5;

export interface RejectionContext {
  readonly config: Config;
  readonly fleet: Fleet;
  readonly names: NameResolver;
  readonly model: ModelName | undefined;
}

/** The error a client gets for a rejection other than `exhausted`, which has its own cause. */
export function rejectionError(rejection: Rejection, context: RejectionContext): LlameroError {
  const retryAfterS =
    rejection.retryAfterMs === undefined
      ? retryAfterDefaultS
      : Math.max(1, Math.ceil(rejection.retryAfterMs / 1000));
  const later = { retryAfterS };
  const model = context.model === undefined ? 'any model' : `model '${context.model}'`;
  const { scheduling } = context.config;
  switch (rejection.reason) {
    case 'queueFull':
      return new LlameroError(
        'queue_full',
        `Cannot queue request: ${rejection.queued} of ${scheduling.queueMax} places are taken`,
        later,
      );
    case 'queueTimeout':
      return new LlameroError(
        'queue_timeout',
        `No slot for ${model} became free within ${seconds(rejection.waitedMs)}`,
        later,
      );
    case 'noBackend':
      return new LlameroError('no_backend', `No live backend serves ${model}${downReasons(context)}`, later);
    case 'modelUnknown':
      return unknownModel(context);
    case 'contextTooLong':
      return new LlameroError(
        'context_length_exceeded',
        `The prompt is longer than the context of every backend that serves ${model}`,
        { param: 'messages' },
      );
    case 'draining':
      return new LlameroError('shutting_down', 'The router is shutting down', later);
    case 'loadFailed':
      return loadFailed(rejection, context);
    case 'doesNotFit':
      return new LlameroError('model_does_not_fit', doesNotFit(rejection, context));
    case 'unloaded':
      return new LlameroError('model_unloaded', `Model '${context.model ?? ''}' was unloaded`, later);
    case 'modelBusy':
      return new LlameroError('concurrency_limit', 'Too many requests', later);
    case 'exhausted':
      return new LlameroError(
        'backend_connect_failed',
        `No backend that serves ${model} could be reached`,
        later,
      );
  }
}

const rejectionOutcomes: Readonly<Record<RejectReason, Outcome>> = {
  queueFull: 'rejected_full',
  queueTimeout: 'evicted_timeout',
  noBackend: 'evicted_timeout',
  modelUnknown: 'rejected_other',
  contextTooLong: 'rejected_other',
  draining: 'rejected_other',
  exhausted: 'failed_before_first_byte',
  loadFailed: 'failed_before_first_byte',
  doesNotFit: 'rejected_other',
  unloaded: 'evicted_timeout',
  modelBusy: 'rejected_full',
};

export function rejectionOutcome(reason: RejectReason): Outcome {
  return rejectionOutcomes[reason];
}

/** The error for a backend that broke before or in the middle of its answer. */
export function failureError(failure: UpstreamFailure, backend: string): LlameroError {
  const later = { retryAfterS: retryAfterDefaultS };
  switch (failure.kind) {
    case 'connect':
      return new LlameroError(
        'backend_connect_failed',
        isOwnShortage(failure.reason)
          ? `The router has no more sockets to reach backend '${backend}' (${failure.reason})`
          : `Cannot connect to backend '${backend}': ${failure.reason}`,
        later,
      );
    case 'timeout':
      return new LlameroError(
        'backend_timeout',
        `Backend '${backend}' sent nothing in time: ${failure.reason}`,
        later,
      );
    case 'reset':
      return new LlameroError(
        'backend_reset',
        `Backend '${backend}' broke the connection: ${failure.reason}`,
        later,
      );
    case 'protocol':
      return new LlameroError(
        'backend_protocol',
        `Backend '${backend}' answered nonsense: ${failure.reason}`,
        later,
      );
  }
}

/** The error of a request whose client has gone, for the records. */
export function clientLeft(): LlameroError {
  return new LlameroError('client_closed', 'The client closed the connection');
}

/** The error for a request that is ended from outside. */
export function cancelError(reason: CancelReason): LlameroError {
  if (reason === 'operator') return new LlameroError('cancelled', 'The request was cancelled by an operator');
  const message = 'The router stopped before the answer was complete';
  return new LlameroError('shutting_down', message, { retryAfterS: 1 });
}

/** The error for a request without a model in a fleet with several. */
export function missingModel(fleet: Fleet): LlameroError {
  const names = [...fleet.names().keys()];
  const listed = names
    .slice(0, 5)
    .map((name) => `'${name}'`)
    .join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return new LlameroError('model_missing', `The request names no model; this fleet serves ${listed}${more}`, {
    param: 'model',
  });
}

function loadFailed(
  { loadFailure, retryAfterMs }: Rejection,
  { model = '' }: RejectionContext,
): LlameroError {
  const retryAfterS = Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000));
  const { code, message } = loadFailure ?? { code: 'process_exited' as const, message: 'no reason is known' };
  return new LlameroError(code, `Model '${model}' cannot be loaded: ${message}`, { retryAfterS });
}

function doesNotFit({ misfit }: Rejection, { model = '' }: RejectionContext): string {
  if (misfit === undefined) return `Model '${model}' does not fit into memory`;
  const { resource, needBytes, budgetBytes } = misfit;
  return `Model '${model}' needs ${gibibytes(needBytes)} of ${resource.toUpperCase()}, and all models together may take ${gibibytes(budgetBytes)}`;
}

function unknownModel({ names, model = '' }: RejectionContext): LlameroError {
  const nearest = names.nearest(model);
  const hint = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
  return new LlameroError('model_not_found', `No backend serves model '${model}'${hint}`, { param: 'model' });
}

function downReasons({ fleet, model }: RejectionContext): string {
  const serving = model === undefined ? [] : (fleet.names().get(model) ?? []);
  const reasons = serving.map(
    (backend) =>
      `${backend.id} is ${backend.view.state}${backend.probe.error === undefined ? '' : `: ${backend.probe.error}`}`,
  );
  return reasons.length === 0 ? '' : ` (${reasons.slice(0, 3).join('; ')})`;
}

/** Rounded up, so that a need never looks smaller than a budget that it exceeds. */
function gibibytes(bytes: number): string {
  return `${(Math.ceil(bytes / 2 ** 20) / 1024).toFixed(3).replace(/\.?0+$/, '')} GiB`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
