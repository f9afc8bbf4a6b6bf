/** `llamero doctor` as a program, before simulated engines, real files and a router that runs. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished, describe, expect, test } from 'vitest';
import { startFakeEngine } from '../fake-engine/start.ts';
import { startFakeOllama } from '../fake-engine/fake-ollama.ts';
import { fakeTools, gpuFixturePath } from '../fake-tools.ts';
import { selfSigned } from '../fixtures/self-signed.ts';
import { freePorts } from './free-ports.ts';
import { configText, startProgram } from './start-program.ts';
import { until } from './start-router.ts';

interface Report {
  readonly ok: boolean;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly {
    readonly check: string;
    readonly subject: string | null;
    readonly level: string;
    readonly saw: string;
    readonly change: string | null;
  }[];
}

async function doctor(config: object, env: Readonly<Record<string, string>> = {}) {
  const file = { 'llamero.yaml': configText(config) };
  await using program = await startProgram(['doctor', '--json'], file, env);
  const code = await program.ended();
  const report = JSON.parse(program.stdout()) as Report;
  const of = (check: string) =>
    report.findings
      .filter((finding) => finding.check === check)
      .map(({ level, subject, saw }) => `${level} ${subject ?? ''}: ${saw}`);
  return { code, report, of };
}

async function engine(options: Parameters<typeof startFakeEngine>[0] = {}) {
  const started = await startFakeEngine(options);
  onTestFinished(() => started.close());
  return started;
}

/** A server that is no engine; ends with the test. */
async function stranger(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

describe('llamero doctor', () => {
  test('finds nothing wrong with a fleet that is well, and ends with 0', async () => {
    const { url } = await engine();
    await using ollama = await startFakeOllama({ models: ['qwen3:8b'] });
    const { code, report, of } = await doctor({
      backends: { desk: { url }, rack: { url: ollama.url, slotsPerModel: 2 } },
      limits: { connections: 100 },
    });
    expect(of('backends')).toEqual([
      expect.stringMatching(/^ok desk: llama\.cpp \S+, slots: 4, tiny$/),
      'ok rack: Ollama 0.15.0, qwen3:8b',
    ]);
    expect(of('addresses')).toEqual(['ok 127.0.0.1:0: free']);
    expect(report).toMatchObject({ ok: true, counts: { error: 0 } });
    expect(code).toBe(0);
  });

  test('tells a backend that is away, one that wants a key, one that is no engine, and one with another name', async () => {
    const { url } = await engine({ apiKey: 'secret' });
    const other = await engine();
    const page = `http://127.0.0.1:${await stranger((_request, response) => response.end('<html>'))}`;
    const nobody = `http://127.0.0.1:${await freePorts(1)}`;
    const { code, of } = await doctor({
      backends: {
        gone: { url: nobody },
        locked: { url, apiKey: 'wrong' },
        page: { url: page },
        misnamed: { url: other.url, engine: 'vllm', models: ['tinny'], slots: 9 },
      },
    });
    const found = of('backends');
    expect(found).toContain(`error gone: nobody listens at ${nobody}`);
    expect(found).toContain(`error locked: ${url} refuses the key, or wants one (status 401 or 403)`);
    expect(found).toContain(`error page: ${page}: No known inference API answers there`);
    expect(found).toContain('warning misnamed: it answers as llama.cpp, but the configuration says vLLM');
    expect(found).toContain("warning misnamed: it has no model 'tinny'");
    expect(code).toBe(1);
  });

  test('tells slots that the engine does not have, and a limit for a model that nobody has', async () => {
    const { url } = await engine({ slots: 2 });
    const { of, code } = await doctor({
      backends: { desk: { url, slots: 3 } },
      scheduling: { modelLimits: { tiny: 1, tinny: 1 } },
    });
    expect(of('backends')).toContain("warning scheduling.modelLimits: nobody has a model 'tinny'");
    expect(of('backends')).toContain(
      'warning desk: slots: 3 is configured, but it has 2: the others wait inside of it, out of order',
    );
    expect(code).toBe(0);
  });

  test('tells a clock that is wrong, and models that a peer does not have', async () => {
    const port = await stranger((_request, response) => {
      response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString());
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'there' }] }));
    });
    const proxy = `http://127.0.0.1:${port}`;
    const { of } = await doctor({ peers: { away: { proxy, models: ['there', 'their'] } } });
    expect(of('peers')).toEqual([
      'ok away: models: 1, in use here: 1',
      "warning away: it lists no model 'their'",
      expect.stringMatching(/^warning away: the clock of its machine is 3(?:600|599) s behind this one$/),
    ]);
  });

  test('knows a router that runs there from another program', async () => {
    const { url } = await engine();
    const backends = { desk: { url } };
    await using router = await startProgram(['serve'], { 'llamero.yaml': configText({ backends }) });
    const address = new URL(await router.url()).host;
    const taken = `127.0.0.1:${await stranger((_request, response) => response.end())}`;
    const { of, code } = await doctor({ backends, listen: [address, taken] });
    expect(of('addresses')).toEqual([
      `note ${address}: a Llamero is running there`,
      `error ${taken}: another program has this port`,
    ]);
    expect(code).toBe(1);
  });

  test('knows a router that serves HTTPS, and tells of a certificate that ends soon', async () => {
    const { cert, key } = selfSigned();
    const files = { 'cert.pem': cert, 'key.pem': key };
    const tls = { cert: 'cert.pem', key: 'key.pem' };
    const { url } = await engine();
    const config = { backends: { desk: { url } }, tls };
    await using router = await startProgram(['serve'], { ...files, 'llamero.yaml': configText(config) });
    const findAddress = () => /listening on https:\/\/([\d.:]+)/.exec(router.stderr())?.[1];
    await until(() => findAddress() !== undefined);
    router.write('doctor.yaml', configText({ ...config, listen: findAddress() }));
    await using program = await startProgram(
      ['doctor', '-c', `${router.folder}/doctor.yaml`, '--json'],
      files,
    );
    expect(await program.ended()).toBe(0);
    const { findings } = JSON.parse(program.stdout()) as Report;
    expect(findings.filter(({ check }) => check === 'addresses')).toMatchObject([
      { level: 'note', saw: 'a Llamero is running there' },
      { level: 'warning', subject: 'cert.pem', saw: expect.stringMatching(/is good until/) },
    ]);
  });

  test('tells models that cannot start, and whose port is taken', async () => {
    const port = await stranger((_request, response) => response.end());
    const { of, code } = await doctor({
      startPort: port,
      models: { m: { cmd: 'no-such-server --port ${PORT} -m absent.gguf' } },
    });
    expect(of('models')).toEqual([
      'error m: no-such-server: no such program on PATH',
      'error m: -m absent.gguf: no such file',
    ]);
    expect(of('addresses')).toContain(
      `error m: another program has port ${port}, so this model cannot start`,
    );
    expect(code).toBe(1);
  });

  test('tells which GPU tools work and which do not', async (context) => {
    context.skip(process.platform !== 'linux', 'shell scripts stand for the tools');
    const tools = fakeTools({
      'nvidia-smi': `cat '${gpuFixturePath('nvidia-two-rtx3090.csv')}'; sleep 10`,
      'xpu-smi': 'echo broken >&2; exit 3',
    });
    const { of, code } = await doctor({}, { PATH: `${tools.env['PATH']}:${process.env['PATH']}` });
    expect(of('gpus')).toEqual([
      expect.stringMatching(
        /^ok nvidia-smi: NVIDIA GeForce RTX 3090 \(.+\), NVIDIA GeForce RTX 3090 \(.+\)$/,
      ),
      'warning xpu-smi: it is there but does not work: ended with 3: broken',
    ]);
    expect(code).toBe(0);
  });

  test('tells a GPU monitor that is away', async () => {
    const { url } = await engine();
    const monitor = `http://127.0.0.1:${await freePorts(1)}`;
    const { of } = await doctor({ backends: { desk: { url, gpuMonitor: monitor } } });
    expect(of('monitors')).toEqual([`warning desk: nobody listens at ${monitor}`]);
  });

  test('tells what is wrong with a configuration, and still looks at the machine', async () => {
    await using program = await startProgram(['doctor', '-c', 'a.yaml'], { 'a.yaml': 'lisen: x' });
    expect(await program.ended()).toBe(1);
    expect(program.stdout()).toMatch(/^configuration\n {2}error {4}a\.yaml:1:1 lisen: .+\n/);
    expect(program.stdout()).toMatch(/\nmachine\n {2}ok {7}Node: /);
    expect(program.stdout()).toMatch(/\n1 error(?:, |\n)/);
  });

  test('explains its flags', async () => {
    await using program = await startProgram(['doctor', '--jsn']);
    expect(await program.ended()).toBe(64);
    expect(program.stderr()).toContain('Usage: llamero doctor');
  });
});
