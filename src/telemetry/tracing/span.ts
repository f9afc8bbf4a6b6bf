/** What a span is here, and every attribute that one may have: names by OpenTelemetry's conventions, or our own. */

/** Names of OpenTelemetry's general and GenAI conventions (1.41), and `llamero.` for what they have no word for. Never a prompt. */
export const spanAttributes = {
  'error.type': 'string',
  'gen_ai.operation.name': 'string',
  'gen_ai.provider.name': 'string',
  'gen_ai.request.model': 'string',
  'gen_ai.request.stream': 'boolean',
  'gen_ai.response.model': 'string',
  'gen_ai.response.time_to_first_chunk': 'double',
  'gen_ai.usage.cache_read.input_tokens': 'int',
  'gen_ai.usage.input_tokens': 'int',
  'gen_ai.usage.output_tokens': 'int',
  'gen_ai.usage.reasoning.output_tokens': 'int',
  'http.request.method': 'string',
  'http.response.status_code': 'int',
  'llamero.attempt': 'int',
  'llamero.backend': 'string',
  'llamero.load.result': 'string',
  'llamero.load.swap': 'boolean',
  'llamero.outcome': 'string',
  'llamero.request.id': 'string',
  'llamero.route': 'string',
  'server.address': 'string',
  'server.port': 'int',
} as const;

export type SpanAttribute = keyof typeof spanAttributes;

interface AttributeValues {
  readonly string: string;
  readonly int: number;
  readonly double: number;
  readonly boolean: boolean;
}

/** Those that are undefined are left out. */
export type SpanAttributes = {
  readonly [Name in SpanAttribute]?: AttributeValues[(typeof spanAttributes)[Name]] | undefined;
};

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** undefined = the first of its trace. */
  readonly parentSpanId: string | undefined;
  readonly traceState: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  readonly startEpochMs: number;
  readonly endEpochMs: number;
  readonly attributes: SpanAttributes;
  readonly links: readonly SpanLink[];
  readonly failed: boolean;
}
