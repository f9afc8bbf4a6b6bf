/** Which traces are kept, by the rules of OpenTelemetry's standard samplers. */
import type { SpanContext } from './trace-context.ts';
import type { TracingSettings } from './tracing-settings.ts';

/** `parent`: what a caller sent. The same trace is always judged the same by its id, wherever it is judged. */
export function isSampled(
  { sampler, ratio }: Pick<TracingSettings, 'sampler' | 'ratio'>,
  traceId: string,
  parent: SpanContext | undefined,
): boolean {
  if (parent !== undefined && sampler.startsWith('parentbased_')) return parent.sampled;
  switch (sampler) {
    case 'always_on':
    case 'parentbased_always_on':
      return true;
    case 'always_off':
    case 'parentbased_always_off':
      return false;
    case 'traceidratio':
    case 'parentbased_traceidratio':
      // The last 7 bytes are random in every kind of trace id.
      return Number.parseInt(traceId.slice(-14), 16) < ratio * 2 ** 56;
  }
}
