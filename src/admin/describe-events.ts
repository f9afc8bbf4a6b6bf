/** The data of the messages of `/api/events`, from what models and requests are at this moment. */
import { describeCapabilities } from '../config/capabilities.ts';
import { qualifiedName } from '../config/names.ts';
import type { RequestRecord } from '../store/request-record.ts';
import { redactHeaders } from '../store/redact-headers.ts';
import type { InflightRequestBody, ModelStatusBody } from './contract-events.ts';
import type { AdminDeps, ModelControl } from './deps.ts';
import { isoTime } from './values.ts';

/** Models of our own by id, then those of peers. */
export function describeModels(models: ModelControl): ModelStatusBody {
  const config = models.config();
  const own = [...config.models.values()].map((model) => {
    const { capabilities, context_length } = describeCapabilities(model.capabilities);
    const state = models.stateOf(model.id) ?? 'stopped';
    return {
      id: model.id,
      name: model.name,
      description: model.description,
      state: state === 'failed' ? ('stopped' as const) : state,
      unlisted: model.unlisted,
      peerID: '',
      aliases: [...model.aliases],
      ...(capabilities !== undefined && { capabilities: { ...capabilities } }),
      ...(context_length !== undefined && { context_length }),
    };
  });
  own.sort((one, other) => (one.id < other.id ? -1 : 1));
  const peers = [...config.peers.values()].flatMap((peer) =>
    peer.models.map((model) => ({
      id: qualifiedName(peer.id, model),
      name: `${peer.id}: ${model}`,
      description: '',
      state: '' as const,
      unlisted: false,
      peerID: peer.id,
      aliases: [],
    })),
  );
  return [...own, ...peers];
}

export function describeInflight(
  record: RequestRecord,
  deps: Pick<AdminDeps, 'clock' | 'models'>,
): InflightRequestBody {
  const { model, selector } = record;
  const priority = model === undefined ? undefined : deps.models.config().priorities.get(model);
  return {
    id: record.id,
    timestamp: isoTime(record.startedEpochMs),
    model: model ?? record.requested ?? '',
    req_path: record.path,
    method: record.method,
    req_headers: redactHeaders(record.requestHeaders),
    remote_ip: record.remote ?? '',
    resp_headers: redactHeaders(record.responseHeaders ?? []),
    resp_bytes: record.bytesOut,
    elapsed_ms: Math.max(0, Math.round(deps.clock.nowMs() - record.startedMs)),
    metadata: { fifo_priority: String(priority ?? 0), ...(selector !== undefined && { selector }) },
    phase: record.phase,
  };
}
