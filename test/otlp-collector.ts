/** A stand-in for an OTLP collector: takes spans over HTTP in the protocol's JSON form and refuses what is not exactly right. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const text = z.string();
const value = z.union([
  z.strictObject({ stringValue: text }),
  z.strictObject({ intValue: text.regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
  z.strictObject({ boolValue: z.boolean() }),
]);
const attributes = z.array(z.strictObject({ key: text.min(1), value }));
const traceId = text.regex(/^(?!0+$)[0-9a-f]{32}$/);
const spanId = text.regex(/^(?!0+$)[0-9a-f]{16}$/);
const nanoseconds = text.regex(/^\d{19}$/);

const span = z
  .strictObject({
    traceId,
    spanId,
    parentSpanId: spanId.optional(),
    traceState: text.min(1).optional(),
    name: text.min(1),
    kind: z.union([z.literal(1), z.literal(2), z.literal(3)]),
    startTimeUnixNano: nanoseconds,
    endTimeUnixNano: nanoseconds,
    attributes,
    links: z.array(z.strictObject({ traceId, spanId })).optional(),
    status: z.strictObject({ code: z.union([z.literal(0), z.literal(2)]) }),
  })
  .refine(
    ({ startTimeUnixNano, endTimeUnixNano }) => BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano),
    'ends before it starts',
  );

const request = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        resource: z.strictObject({ attributes }),
        scopeSpans: z
          .array(
            z.strictObject({ scope: z.strictObject({ name: text, version: text }), spans: z.array(span) }),
          )
          .min(1),
      }),
    )
    .min(1),
});

export interface ReceivedSpan extends Omit<z.infer<typeof span>, 'attributes'> {
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly resource: Readonly<Record<string, string | number | boolean>>;
}

export interface OtlpCollector extends AsyncDisposable {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Headers of each batch. */
  readonly headers: IncomingHttpHeaders[];
  /** What was wrong with what came. */
  readonly problems: string[];
  /** Status of the answers; default 200. */
  status: number;
}

export async function startOtlpCollector(): Promise<OtlpCollector> {
  const collector = {
    spans: [] as ReceivedSpan[],
    headers: [] as IncomingHttpHeaders[],
    problems: [] as string[],
    status: 200,
  };
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      collector.headers.push(incoming.headers);
      if (incoming.method !== 'POST' || incoming.url !== '/v1/traces') {
        collector.problems.push(`${incoming.method} ${incoming.url}`);
      }
      if (incoming.headers['content-type'] !== 'application/json') collector.problems.push('no JSON');
      const body = Buffer.concat(chunks);
      const json = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      const parsed = request.safeParse(JSON.parse(json.toString()));
      if (!parsed.success) collector.problems.push(z.prettifyError(parsed.error));
      else if (collector.status === 200) collector.spans.push(...toSpans(parsed.data));
      response.writeHead(collector.status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(collector, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

function toSpans({ resourceSpans }: z.infer<typeof request>): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((each) => ({
        ...each,
        attributes: toRecord(each.attributes),
        resource: toRecord(resource.attributes),
      })),
    ),
  );
}

function toRecord(pairs: z.infer<typeof attributes>): Record<string, string | number | boolean> {
  return Object.fromEntries(
    pairs.map(({ key, value: each }) => {
      if ('intValue' in each) return [key, Number(each.intValue)];
      return [key, Object.values(each)[0] as string | number | boolean];
    }),
  );
}
