/** The sidecar of ollama-lb, in either of its versions: it answers what it is told to. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FakeSidecar {
  readonly url: string;
  asked: number;
  body: object;
}

/** As the first version, of one GPU, tells it. */
export function flatMetrics(percent: number, activeRequests = 0): object {
  return {
    active_requests: activeRequests,
    gpu_utilization: percent,
    gpu_memory_used_gb: 10.5,
    gpu_memory_total_gb: 24,
    gpu_temperature: 65,
  };
}

/** As the second version tells several GPUs. */
export function gpuMetrics(...percents: number[]): object {
  const gpus = percents.map((utilization, index) => ({
    index,
    name: `RTX ${3090 + index}`,
    utilization,
    memory_used_gb: 10 + index,
    memory_total_gb: 24,
    temperature: 60 + index,
  }));
  return {
    active_requests: 0,
    gpus,
    gpu_count: gpus.length,
    gpu_utilization: 0,
    gpu_memory_used_gb: 0,
    gpu_memory_total_gb: 0,
    gpu_temperature: 0,
  };
}

/** Ends with the test. */
export async function startFakeSidecar(body: object): Promise<FakeSidecar> {
  const sidecar = { url: '', asked: 0, body };
  const server = createServer((request, response) => {
    sidecar.asked += 1;
    if (request.url === '/metrics') response.end(JSON.stringify(sidecar.body));
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  sidecar.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return sidecar;
}
