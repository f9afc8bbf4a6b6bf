/** Whether peers answer, take their key and have the models that are said to be there. */
import type { Clock } from '../../base/clock.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { ResolvedPeer } from '../../config/models.ts';
import { formatPath } from '../../config/problems.ts';
import { ProbeFailure } from '../../engines/engine-kind.ts';
import { openai } from '../../engines/kinds/openai.ts';
import { createProbeClient } from '../../engines/probe-client.ts';
import { watchAnswers } from './answer-watch.ts';
import { explainFailure } from './explain-failure.ts';
import { fault, good, remark, type Finding } from './finding.ts';

export interface PeerCheckOptions {
  readonly peers: Iterable<Pick<ResolvedPeer, 'id' | 'proxy' | 'apiKey' | 'models'>>;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, 'epochMs'>;
  readonly signal: AbortSignal;
}

export async function checkPeers({ peers, ...options }: PeerCheckOptions): Promise<Finding[]> {
  const findings = await Promise.all(Array.from(peers, (peer) => checkPeer(peer, options)));
  return findings.flat();
}

async function checkPeer(
  { id, proxy, apiKey, models }: Pick<ResolvedPeer, 'id' | 'proxy' | 'apiKey' | 'models'>,
  { timeoutMs, clock, signal }: Omit<PeerCheckOptions, 'peers'>,
): Promise<Finding[]> {
  const client = createProbeClient({ url: new URL(proxy), apiKey, timeoutMs, signal });
  const watch = watchAnswers(client, clock);
  try {
    const reading = await openai.read(watch.client, { mayStir: false });
    const listed = reading.models;
    if (listed === undefined)
      return [remark(id, 'it answers, but lists no models'), ...watch.clockFindings(id)];
    const missing = models.filter((model) => !listed.has(model));
    const found = good(id, `models: ${listed.size}, in use here: ${models.length - missing.length}`);
    return [found, ...missing.map((model) => missingModel(id, model, listed)), ...watch.clockFindings(id)];
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    const where = {
      key: formatPath(['peers', id, 'apiKey']),
      url: formatPath(['peers', id, 'proxy']),
      address: proxy,
    };
    const failure = explainFailure(error, { ...where, refusedKey: watch.refusedKey() });
    return [fault(id, { level: 'error', ...failure })];
  }
}

function missingModel(id: string, model: string, listed: ReadonlyMap<string, string>): Finding {
  const near = nearestName(model, listed.keys());
  const change = `${formatPath(['peers', id, 'models'])}: ${near ?? 'a model that it lists'} in place of ${model}`;
  return fault(id, { level: 'warning', saw: `it lists no model '${model}'`, change });
}
