/**
 * A program that behaves like a model server, well or badly. Prints its pid, answers GET /health, GET /pid, and every
 * POST with a chat completion whose text is its pid.
 * --port N · --loading-ms N (503 until then) · --listen-after-ms N · --never-ready
 * --exit-after-ms N --exit-code N (from its start; 0 ms = before it listens) · --sigterm ignore|MS · --flood-bytes N
 */
import { writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'loading-ms': { type: 'string', default: '0' },
    'listen-after-ms': { type: 'string', default: '0' },
    'never-ready': { type: 'boolean', default: false },
    'exit-after-ms': { type: 'string' },
    'exit-code': { type: 'string', default: '0' },
    sigterm: { type: 'string', default: '0' },
    'flood-bytes': { type: 'string', default: '0' },
  },
});

/** A router that was killed has left the pipes without a reader. */
function tryPrint(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // Nobody to tell.
  }
}

// Handlers first: whoever reads the pid may send a signal at once.
process.on('SIGTERM', () => {
  tryPrint(`got SIGTERM ${process.pid}\n`);
  if (values.sigterm === 'ignore') return;
  setTimeout(() => {
    tryPrint('cleaned up\n');
    process.exit(0);
  }, Number(values.sigterm));
});
process.stdout.write(`server pid ${process.pid}\n`);

if (values['exit-after-ms'] !== undefined) {
  const exitNow = (): void => {
    writeSync(2, 'loading model\nerror: cannot load the model\n');
    process.exit(Number(values['exit-code']));
  };
  if (values['exit-after-ms'] === '0') exitNow();
  setTimeout(exitNow, Number(values['exit-after-ms']));
}

await sleep(Number(values['listen-after-ms']));
const listeningMs = performance.now();
const server = createServer((request, response) => {
  if (request.url === '/pid') {
    response.end(String(process.pid));
    return;
  }
  if (request.method === 'POST') {
    const choices = [{ index: 0, message: { role: 'assistant', content: String(process.pid) } }];
    request.resume().once('end', () => response.end(JSON.stringify({ object: 'chat.completion', choices })));
    return;
  }
  const loading = performance.now() - listeningMs < Number(values['loading-ms']);
  response.writeHead(values['never-ready'] || loading ? 503 : 200).end();
});
server.listen(Number(values.port), '127.0.0.1');

const floodBytes = Number(values['flood-bytes']);
for (let written = 0; written < floodBytes; written += 65_536) {
  if (!process.stdout.write('x'.repeat(65_535) + '\n')) {
    await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}
if (floodBytes > 0) process.stdout.write('flood over\n');
