/** The backends as ollama-lb lists its servers. */
import type { Hono } from 'hono';
import type { BackendState } from '../domain/backend-view.ts';
import type { Backend } from '../engines/backend.ts';
import { loadOf } from '../scheduler/policies/scorers/requests-and-gpu-load.ts';
import { sidecarMembers } from '../telemetry/host/monitor-body.ts';
import { noQuery } from './contract.ts';
import type { ServersBody } from './contract-servers.ts';
import type { AdminDeps } from './deps.ts';
import { addRoute, checkQuery } from './routing.ts';

type Deps = Pick<AdminDeps, 'backends' | 'snapshot' | 'hostOf'>;

/** `/servers` is where ollama-lb has it. */
export function addServerRoutes(app: Hono, deps: Deps): void {
  for (const path of ['/servers', '/api/servers']) {
    addRoute(app, path, {
      GET: (context) => {
        checkQuery(context, noQuery);
        return context.json(serversBody(deps));
      },
    });
  }
}

function serversBody({ backends, snapshot, hostOf }: Deps): ServersBody {
  const { backends: uses } = snapshot(0);
  return {
    servers: backends().map((backend) => {
      const { id, url, view } = backend;
      const inFlight = uses.get(id)?.inFlight ?? 0;
      const { gpus, ...sums } = sidecarMembers(hostOf(id)?.reading?.gpus ?? []);
      return {
        host: url.hostname,
        port: portOf(url),
        active_requests: inFlight,
        gpus: [...gpus],
        ...sums,
        is_healthy: !outOfService.has(view.state),
        score: loadOf({ inFlight, view }),
        backend_id: id,
        state: view.state,
      };
    }),
  };
}

const outOfService: ReadonlySet<BackendState> = new Set(['unknown', 'dead', 'draining']);

function portOf({ port, protocol }: Backend['url']): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}
