/** This machine over the last hour, what it does now as `llamero gpu-monitor` tells it, and what it is made of. */
import type { Context, Hono } from 'hono';
import { monitorBody } from '../telemetry/host/monitor-body.ts';
import { noQuery } from './contract.ts';
import { performanceQuery, type PerformanceBody, type PerformanceOffBody } from './contract-performance.ts';
import { describeGpus, describeHardware, describeSystem } from './describe-host.ts';
import type { AdminDeps } from './deps.ts';
import { addRoute, checkQuery } from './routing.ts';

type Deps = Pick<AdminDeps, 'performance' | 'clock' | 'version'>;

export function addPerformanceRoutes(app: Hono, deps: Deps): void {
  const { performance, clock } = deps;
  addRoute(app, '/api/performance', {
    GET: (context) => {
      const { after } = checkQuery(context, performanceQuery);
      if (!performance.enabled) return context.json({ enabled: false } satisfies PerformanceOffBody, 503);
      const readings = performance.history(after);
      const body: PerformanceBody = {
        enabled: true,
        sys_stats: readings.flatMap(({ atEpochMs, system }) =>
          system === undefined ? [] : [describeSystem(atEpochMs, system)],
        ),
        gpu_stats: readings.flatMap(describeGpus),
      };
      return context.json(body);
    },
  });
  addRoute(app, '/api/gpu-monitor', {
    GET: (context) => {
      checkQuery(context, noQuery);
      const reading = performance.latest();
      if (reading === undefined) return context.json({ error: 'this machine could not be read lately' }, 503);
      return context.json(monitorBody(reading, Math.max(0, clock.epochMs() - reading.atEpochMs)));
    },
  });
  addRoute(app, '/api/hardware', { GET: createHardwareHandler(deps) });
}

/** Parts of a machine do not change while it runs: they are looked for once, when somebody asks. */
function createHardwareHandler({ performance, clock, version }: Deps) {
  let captured: Promise<object> | undefined;
  return async (context: Context): Promise<Response> => {
    captured ??= performance
      .hardware()
      .then((hardware) => describeHardware(hardware, { atEpochMs: clock.epochMs(), version }));
    return context.json(await captured);
  };
}
