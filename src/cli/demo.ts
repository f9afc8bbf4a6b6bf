/** `llamero demo`: the real router in front of simulated engines, with simulated users. Only the engines are invented. */
import { parseArgs } from 'node:util';
import { App } from '../app.ts';
import { loadConfigText } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import { createDemoFleet } from '../sim/fleet.ts';
import { createTraffic, type Traffic } from '../sim/traffic.ts';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import type { LongRunningIo } from './io.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { version } from './version.ts';

const usage = `Usage: llamero demo [--listen ADDR] [--no-traffic]

  --listen ADDR   HOST:PORT to serve on; default 127.0.0.1:8700
  --no-traffic    no simulated users; they can be switched on and off at /monitor
`;

const seed = 7;
const defaultListen = '127.0.0.1:8700';

export async function runDemo(args: readonly string[], io: LongRunningIo): Promise<ExitCode> {
  const parsed = parseDemoArgs(args);
  if (typeof parsed === 'string') {
    if (parsed === '') io.stdout(usage);
    else io.stderr(`llamero demo: ${parsed}\n${usage}`);
    return parsed === '' ? exitCodes.ok : exitCodes.usage;
  }
  const fleet = createDemoFleet({ seed });
  const engines = await fleet.start();
  const backends = Object.fromEntries(engines.map(({ id, url }) => [id, { url, engine: 'llamacpp' }]));
  // Over in seconds instead of minutes: what is cut is invented.
  const demo = { backends, drain: { timeout: 5 }, log: { requests: false } };
  const loaded = loadConfigText({
    file: 'demo',
    env: {},
    text: JSON.stringify(demo),
    listen: [parsed.listen],
  });
  if (!loaded.ok) {
    for (const problem of loaded.problems) io.stderr(`${formatProblem(problem)}\n`);
    await fleet.close();
    return exitCodes.usage;
  }
  let traffic: Traffic | undefined;
  const app = new App({
    config: loaded.config,
    version,
    terminal: io.stderrIsTty,
    env: io.env,
    demo: {
      trafficRunning: () => traffic?.running ?? false,
      setTraffic(running) {
        if (running) traffic?.start();
        else traffic?.stop();
      },
    },
  });
  const code = await runUntilStopped(app, io, (address) => {
    const url = `http://${address}`;
    io.stdout(welcome(url, fleet.describe()));
    traffic = createTraffic({ url, models: fleet.models, seed });
    if (parsed.traffic) traffic.start();
  });
  await traffic?.close();
  await fleet.close();
  return code;
}

function parseDemoArgs(
  args: readonly string[],
): { readonly listen: string; readonly traffic: boolean } | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        listen: { type: 'string', short: 'l', default: defaultListen },
        'no-traffic': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values.help ? '' : { listen: values.listen, traffic: !values['no-traffic'] };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function welcome(url: string, engines: readonly string[]): string {
  return `
Llamero ${version} with simulated engines (no model runs, all answers are invented):

${engines.map((line) => `  ${line}`).join('\n')}

Watch it:   ${url}/monitor

Talk to it:

  curl ${url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"sim-qwen3-8b","messages":[{"role":"user","content":"Hello"}],"stream":true}'

  curl ${url}/v1/models

Ctrl-C ends it.

`;
}
