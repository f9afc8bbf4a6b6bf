/** Whether each backend answers, what it is, whether it takes the key, and whether it is as the configuration says. */
import { formatPath } from '../../config/problems.ts';
import type { Clock } from '../../base/clock.ts';
import { nearestName } from '../../base/nearest-name.ts';
import type { BackendConfig, Config } from '../../config/schema.ts';
import { ProbeFailure, type EngineKind, type EngineReading } from '../../engines/engine-kind.ts';
import { detectEngineKind, engineKinds } from '../../engines/kinds/index.ts';
import { createProbeClient } from '../../engines/probe-client.ts';
import { watchAnswers, type AnswerWatch } from './answer-watch.ts';
import { checkNames } from './check-names.ts';
import { explainFailure } from './explain-failure.ts';
import { fault, good, remark, type Finding } from './finding.ts';

export interface BackendCheckOptions {
  readonly config: Pick<Config, 'backends' | 'probes' | 'scheduling' | 'apiKeys'>;
  /** Those that this router answers to without any backend. */
  readonly names: Iterable<string>;
  readonly clock: Pick<Clock, 'epochMs'>;
  readonly signal: AbortSignal;
}

/** What limits and keys speak of is looked at only when every backend has told its models. */
export async function checkBackends(options: BackendCheckOptions): Promise<Finding[]> {
  const { config, clock, signal } = options;
  const checked = await Promise.all(
    Object.entries(config.backends).map(([id, backend]) => {
      const { url, apiKey } = backend;
      const client = createProbeClient({
        url: new URL(url),
        apiKey,
        timeoutMs: config.probes.timeout,
        signal,
      });
      return checkBackend({
        id,
        backend,
        watch: watchAnswers(client, clock),
        defaultSlots: config.scheduling.defaultSlots,
      });
    }),
  );
  const findings = checked.flatMap((backend) => backend.findings);
  const lists = checked.map(({ models }) => models).filter((models) => models !== undefined);
  if (lists.length < checked.length) return findings;
  return [...findings, ...checkNames(config, new Set([...options.names, ...lists.flat()]))];
}

interface Checked {
  readonly findings: readonly Finding[];
  /** Its names for its models; undefined = it did not tell. */
  readonly models: readonly string[] | undefined;
}

interface Examined {
  readonly id: string;
  readonly backend: BackendConfig;
  readonly watch: AnswerWatch;
  readonly defaultSlots: number;
}

async function checkBackend(examined: Examined): Promise<Checked> {
  const { id, backend, watch } = examined;
  try {
    const detected = await tryDetect(examined);
    const kind = backend.engine === 'auto' ? detected : engineKinds[backend.engine];
    if (kind === undefined) throw new ProbeFailure('status', 'No known inference API answers there');
    const reading = await kind.read(watch.client, { mayStir: false });
    const advice = (await kind.advise?.(watch.client)) ?? [];
    const findings = [
      good(id, describeReading(kind, reading)),
      ...judgeKind(examined, detected),
      ...judgeReading(examined, kind, reading),
      ...advice.map((each) => fault(id, each)),
      ...watch.clockFindings(id),
    ];
    return { findings, models: reading.models === undefined ? backend.models : [...reading.models.keys()] };
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    const where = {
      key: formatPath(['backends', id, 'apiKey']),
      url: formatPath(['backends', id, 'url']),
      address: backend.url,
    };
    const failure = explainFailure(error, { ...where, refusedKey: watch.refusedKey() });
    const findings = [fault(id, { level: 'error', ...failure }), ...watch.clockFindings(id)];
    return { findings, models: undefined };
  }
}

/** Where the configuration says what it is, an engine that cannot be told from others is no failure. */
async function tryDetect({ backend, watch }: Examined): Promise<EngineKind | undefined> {
  try {
    return await detectEngineKind(watch.client);
  } catch (error) {
    if (backend.engine === 'auto' || !(error instanceof ProbeFailure) || error.kind !== 'status') throw error;
    return undefined;
  }
}

function describeReading({ title }: EngineKind, reading: EngineReading): string {
  const models = [...new Set(reading.models?.values())];
  const shown = models.length > 5 ? `${models.length} models` : models.join(', ') || 'no models';
  const parts = [
    reading.version === undefined ? title : `${title} ${reading.version}`,
    ...(reading.slotsTotal === undefined ? [] : [`slots: ${reading.slotsTotal}`]),
    shown,
    ...(reading.readiness === 'ready' ? [] : [reading.readiness]),
  ];
  return parts.join(', ');
}

function judgeKind({ id, backend }: Examined, detected: EngineKind | undefined): Finding[] {
  if (backend.engine === 'auto' || detected === undefined || detected.name === backend.engine) return [];
  // What speaks OpenAI's API may be meant to be taken for nothing more.
  const level = backend.engine === 'openai' ? 'note' : 'warning';
  const saw = `it answers as ${detected.title}, but the configuration says ${engineKinds[backend.engine].title}`;
  return [
    fault(id, {
      level,
      saw,
      change: `${formatPath(['backends', id, 'engine'])}: ${detected.name}, or no engine at all`,
    }),
  ];
}

function judgeReading(examined: Examined, kind: EngineKind, reading: EngineReading): Finding[] {
  if (reading.readiness === 'loading') return [remark(examined.id, 'it is still loading its model')];
  return [...judgeSlots(examined, kind, reading), ...judgeModels(examined, reading)];
}

function judgeSlots(
  { id, backend, defaultSlots }: Examined,
  kind: EngineKind,
  reading: EngineReading,
): Finding[] {
  const { slots, slotsPerModel } = backend;
  const { slotsTotal } = reading;
  if (slots !== undefined && slotsTotal !== undefined && slots > slotsTotal) {
    const saw = `slots: ${slots} is configured, but it has ${slotsTotal}: the others wait inside of it, out of order`;
    return [
      fault(id, {
        level: 'warning',
        saw,
        change: `remove ${formatPath(['backends', id, 'slots'])}, or start it with more`,
      }),
    ];
  }
  const isKnown = [slots, slotsPerModel, slotsTotal, kind.slotsUsual].some((count) => count !== undefined);
  if (isKnown) return [];
  return [
    fault(id, {
      level: 'note',
      saw: `it does not tell how many requests it runs at once, so ${defaultSlots} (scheduling.defaultSlots) is assumed`,
      change: `${formatPath(['backends', id, 'slots'])}: as many as it runs, or slotsPerModel: OLLAMA_NUM_PARALLEL of an Ollama`,
    }),
  ];
}

/** Names that are allowed there but that it does not have. */
function judgeModels({ id, backend }: Examined, reading: EngineReading): Finding[] {
  const { models } = reading;
  if (models === undefined) return [];
  if (models.size === 0 && backend.models === undefined) {
    const change = 'load or pull a model there';
    return [fault(id, { level: 'warning', saw: 'it has no models, so it gets no requests', change })];
  }
  const known = new Set([...models.keys(), ...models.values()]);
  return (backend.models ?? [])
    .filter((name) => !known.has(name))
    .map((name) => {
      const near = nearestName(name, known);
      const instead = near === undefined ? 'a model that it has' : near;
      const saw = `it has no model '${name}'`;
      return fault(id, {
        level: 'warning',
        saw,
        change: `${formatPath(['backends', id, 'models'])}: ${instead} in place of ${name}`,
      });
    });
}
