/** Reads OpenTelemetry's standard variables. Says what it could not use; without an endpoint there is no tracing. */

export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio';

export interface TracingSettings {
  /** Where batches are posted. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Deadline of one batch. */
  readonly timeoutMs: number;
  /** Batches are compressed. */
  readonly gzip: boolean;
  readonly batch: BatchSettings;
  /** `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  /** Share of the traces that the ratio samplers keep, 0 to 1. */
  readonly ratio: number;
}

export interface BatchSettings {
  /** Time between two batches, unless one is full before. */
  readonly intervalMs: number;
  /** Most spans in a batch; not more than `waitingMax`. */
  readonly spansMax: number;
  /** Most spans that wait. */
  readonly waitingMax: number;
}

export interface TracingChoice {
  /** undefined = off. */
  readonly settings: TracingSettings | undefined;
  /** What was not understood, as sentences without full stop. */
  readonly warnings: readonly string[];
}

type Env = Readonly<Record<string, string | undefined>>;

const samplers: ReadonlySet<string> = new Set<SamplerName>([
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
]);
const timeoutMsDefault = 10_000;

export function readTracingSettings(env: Env): TracingChoice {
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined;
  const endpoint =
    env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ||
    (base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`);
  const isOff = env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  if (endpoint === undefined || isOff) return { settings: undefined, warnings: [] };
  if (!/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    return {
      settings: undefined,
      warnings: ['the OTLP endpoint is no http or https URL, so nothing is traced'],
    };
  }
  const warnings = unspokenChoices(env);
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] || env['OTEL_EXPORTER_OTLP_PROTOCOL'];
  if (protocol !== undefined && protocol !== 'http/json') {
    warnings.push(`OTLP protocol '${protocol}' is not spoken here, http/json is used`);
  }
  const headers = env['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] || env['OTEL_EXPORTER_OTLP_HEADERS'];
  const timeout = env['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT'] || env['OTEL_EXPORTER_OTLP_TIMEOUT'];
  const compression = env['OTEL_EXPORTER_OTLP_TRACES_COMPRESSION'] || env['OTEL_EXPORTER_OTLP_COMPRESSION'];
  if (compression !== undefined && !['', 'gzip', 'none'].includes(compression)) {
    warnings.push(`OTLP compression '${compression}' is unknown, none is used`);
  }
  const settings: TracingSettings = {
    url: endpoint,
    headers: readPairs('OTEL_EXPORTER_OTLP_HEADERS', headers, warnings),
    timeoutMs: readNumber('OTEL_EXPORTER_OTLP_TIMEOUT', timeout, { fallback: timeoutMsDefault, warnings }),
    gzip: compression === 'gzip',
    batch: readBatchSettings(env, warnings),
    resource: {
      'service.name': 'llamero',
      ...readPairs('OTEL_RESOURCE_ATTRIBUTES', env['OTEL_RESOURCE_ATTRIBUTES'], warnings),
      ...(env['OTEL_SERVICE_NAME'] && { 'service.name': env['OTEL_SERVICE_NAME'] }),
    },
    sampler: readSampler(env['OTEL_TRACES_SAMPLER'], warnings),
    ratio: readNumber('OTEL_TRACES_SAMPLER_ARG', env['OTEL_TRACES_SAMPLER_ARG'], {
      fallback: 1,
      max: 1,
      warnings,
    }),
  };
  return { settings, warnings };
}

/** Other exporters and propagators than those that there are. */
function unspokenChoices(env: Env): string[] {
  const warnings: string[] = [];
  const { OTEL_TRACES_EXPORTER: exporter, OTEL_PROPAGATORS: propagators } = env;
  if (exporter && exporter !== 'otlp') {
    warnings.push(`OTEL_TRACES_EXPORTER '${exporter}' is not known here, otlp is used`);
  }
  if (propagators && !propagators.split(',').some((name) => name.trim() === 'tracecontext')) {
    warnings.push(`OTEL_PROPAGATORS '${propagators}' are not known here, tracecontext is used`);
  }
  return warnings;
}

function readBatchSettings(env: Env, warnings: string[]): BatchSettings {
  const read = (variable: string, fallback: number): number =>
    readNumber(variable, env[variable], { fallback, min: 1, warnings });
  const waitingMax = Math.floor(read('OTEL_BSP_MAX_QUEUE_SIZE', 4096));
  return {
    intervalMs: read('OTEL_BSP_SCHEDULE_DELAY', 5000),
    spansMax: Math.min(Math.floor(read('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512)), waitingMax),
    waitingMax,
  };
}

function readSampler(name: string | undefined, warnings: string[]): SamplerName {
  const known = 'parentbased_always_on';
  if (name === undefined || name === '') return known;
  if (samplers.has(name)) return name as SamplerName;
  warnings.push(`OTEL_TRACES_SAMPLER '${name}' is unknown, ${known} is used`);
  return known;
}

/** `a=1,b=2`, values percent-encoded. Values never go into a warning: they may be keys. */
function readPairs(variable: string, text: string | undefined, warnings: string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const part of (text ?? '').split(',')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const name = part.slice(0, equals).trim();
    const value = tryDecode(part.slice(equals + 1).trim());
    if (equals < 1 || name === '' || value === undefined)
      warnings.push(`${variable} has a part that is no name=value`);
    else pairs[name] = value;
  }
  return pairs;
}

function tryDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

interface NumberRule {
  readonly fallback: number;
  /** Default 0. */
  readonly min?: number;
  /** Default: what a timer can wait. */
  readonly max?: number;
  readonly warnings: string[];
}

function readNumber(
  variable: string,
  text: string | undefined,
  { fallback, min = 0, max = 2 ** 31 - 1, warnings }: NumberRule,
): number {
  if (text === undefined || text === '') return fallback;
  const value = Number(text);
  if (value >= min && value <= max) return value;
  warnings.push(`${variable} '${text}' is no number from ${min} to ${max}, ${fallback} is used`);
  return fallback;
}
