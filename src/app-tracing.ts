/** Tracing as the environment asks for it: reads the standard variables and joins the tracer to what it follows. */
import type { Logger } from 'pino';
import type { Clock } from './base/clock.ts';
import type { BackendDirectory } from './engines/backend.ts';
import type { RequestTable } from './store/requests.ts';
import { Tracer } from './telemetry/tracing/tracer.ts';
import { readTracingSettings } from './telemetry/tracing/tracing-settings.ts';

export interface TracingParts {
  /** OpenTelemetry's variables are read from here. */
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  readonly requests: RequestTable;
  readonly backends: Pick<BackendDirectory, 'get'>;
}

/** undefined = nobody wants traces; then nothing is done for any request. */
export function openTracer({ env = {}, requests, backends, ...parts }: TracingParts): Tracer | undefined {
  const { settings, warnings } = readTracingSettings(env);
  for (const warning of warnings) parts.log.warn(`tracing: ${warning}`);
  if (settings === undefined) return undefined;
  const tracer = new Tracer({
    ...parts,
    settings,
    findRequest: (id) => requests.get(id),
    findBackend(id) {
      const backend = backends.get(id);
      return backend && { engine: backend.kind.name, url: backend.url };
    },
  });
  requests.subscribe({
    changed(record) {
      if (record.phase === 'waiting') tracer.sent(record);
    },
    finished: (record) => tracer.finished(record),
  });
  return tracer;
}
