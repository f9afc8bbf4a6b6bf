/** Spans in the JSON form of OpenTelemetry's protocol (OTLP 1), as a collector takes them at `/v1/traces`. */
import { spanAttributes, type Span, type SpanAttribute } from './span.ts';

const kinds = { internal: 1, server: 2, client: 3 } as const;
const statusUnset = 0;
const statusError = 2;

export interface OtlpOrigin {
  readonly resource: Readonly<Record<string, string>>;
  /** Of this program. */
  readonly version: string;
}

export function toOtlpJson(spans: readonly Span[], { resource, version }: OtlpOrigin): string {
  const attributes = Object.entries(resource).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const scopeSpans = [{ scope: { name: 'llamero', version }, spans: spans.map(toOtlpSpan) }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] });
}

function toOtlpSpan(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
    ...(span.traceState !== '' && { traceState: span.traceState }),
    name: span.name,
    kind: kinds[span.kind],
    startTimeUnixNano: toNanoseconds(span.startEpochMs),
    endTimeUnixNano: toNanoseconds(span.endEpochMs),
    attributes: Object.entries(span.attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value: toValue(key as SpanAttribute, value) }],
    ),
    ...(span.links.length > 0 && { links: span.links }),
    status: { code: span.failed ? statusError : statusUnset },
  };
}

/** 64-bit numbers are text in JSON. */
function toValue(key: SpanAttribute, value: string | number | boolean): object {
  switch (spanAttributes[key]) {
    case 'string':
      return { stringValue: value };
    case 'int':
      return { intValue: String(value) };
    case 'double':
      return { doubleValue: value };
    case 'boolean':
      return { boolValue: value };
  }
}

/** Microseconds are all that a number of milliseconds since 1970 can hold. */
function toNanoseconds(epochMs: number): string {
  return `${Math.round(epochMs * 1000)}000`;
}
