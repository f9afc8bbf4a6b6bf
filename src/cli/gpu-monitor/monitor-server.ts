/** The HTTP side of `llamero gpu-monitor`: what this machine does now, for routers and for Prometheus. Changes nothing. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { HostReading } from '../../domain/host-reading.ts';
import { hostMetricNames, setHostGauges } from '../../telemetry/host/host-gauges.ts';
import { monitorBody } from '../../telemetry/host/monitor-body.ts';
import { createMetricRegistry } from '../../telemetry/metric-registry.ts';

export interface MonitorServerOptions {
  /** undefined = there is none that is young enough. */
  readonly latest: () => HostReading | undefined;
  /** What should tell of GPUs and does not. */
  readonly troubled: () => readonly string[];
  readonly epochMs: () => number;
  /** Gets the headers, names and values alternating. */
  readonly isAllowed: (headers: readonly string[]) => boolean;
  readonly version: string;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const headerMsMax = 10_000;
const connectionsMax = 256;

export function createMonitorServer(options: MonitorServerOptions): Server {
  const registry = createMetricRegistry(hostMetricNames);
  const server = createServer(
    { headersTimeout: headerMsMax, requestTimeout: headerMsMax },
    (request, response) => {
      // Whoever asks with a body gets the same answer without being listened to.
      request.resume();
      void answerTo(request)
        .catch(() => jsonAnswer(500, { error: 'internal' }))
        .then((answer) => send(request, response, answer));
    },
  );
  server.maxConnections = connectionsMax;

  async function answerTo({ url = '/', method = '', headers, rawHeaders }: IncomingMessage): Promise<Answer> {
    const [path = '/', query = ''] = url.split('?');
    if (!['/', '/health', '/metrics', '/metrics/prometheus'].includes(path)) {
      return jsonAnswer(404, { error: `no route ${path}` });
    }
    if (method !== 'GET' && method !== 'HEAD') {
      return { ...jsonAnswer(405, { error: 'takes GET and HEAD' }), headers: { allow: 'GET, HEAD' } };
    }
    const reading = options.latest();
    if (path === '/') return textAnswer(`llamero gpu-monitor ${options.version}\n\n${routes}`);
    if (path === '/health') {
      const needsGpus = new URLSearchParams(query).get('require') === 'gpus';
      return healthAnswer(reading, { troubled: options.troubled(), needsGpus });
    }
    if (!options.isAllowed(rawHeaders)) {
      return { ...jsonAnswer(401, { error: 'a key is needed' }), headers: { 'www-authenticate': 'Bearer' } };
    }
    if (reading === undefined) return jsonAnswer(503, { error: 'this machine could not be read lately' });
    const wantsPrometheus = /text\/plain|openmetrics-text/.test(headers.accept ?? '');
    if (path === '/metrics' && !wantsPrometheus) {
      return jsonAnswer(200, monitorBody(reading, Math.max(0, options.epochMs() - reading.atEpochMs)));
    }
    setHostGauges(registry, reading);
    return { status: 200, contentType: registry.contentType, text: await registry.text() };
  }
  return server;
}

const routes = `GET /metrics              what this machine and its GPUs do now, as JSON
GET /metrics/prometheus   the same for Prometheus, also at /metrics by its Accept header
GET /health               200 while readings are fresh; ?require=gpus: and GPUs are among them
`;

/** `status` is `healthy` where ollama-lb's sidecar says so. A monitor without the GPUs that it should see says it. */
function healthAnswer(
  reading: HostReading | undefined,
  { troubled, needsGpus }: { readonly troubled: readonly string[]; readonly needsGpus: boolean },
): Answer {
  if (reading === undefined) return jsonAnswer(503, { status: 'stale' });
  const lacksGpus = troubled.length > 0 || (needsGpus && reading.gpus.length === 0);
  if (!lacksGpus) return jsonAnswer(200, { status: 'healthy' });
  return jsonAnswer(needsGpus ? 503 : 200, { status: 'degraded', gpu_count: reading.gpus.length, troubled });
}

function textAnswer(text: string): Answer {
  return { status: 200, contentType: 'text/plain; charset=utf-8', text };
}

function jsonAnswer(status: number, body: object): Answer {
  return { status, contentType: 'application/json; charset=utf-8', text: `${JSON.stringify(body)}\n` };
}

function send({ method }: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': Buffer.byteLength(answer.text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...answer.headers,
  });
  response.end(method === 'HEAD' ? undefined : answer.text);
}
