/** `POST /api/pull`, `push` and `create`: done by every managed Ollama, with one stream of progress for the client. */
import type { JsonObject } from '../../dialects/ir/request.ts';
import { readError } from '../../dialects/ollama/errors.ts';
import { lastLine, ProgressMerger } from '../../dialects/ollama-surface/merge-progress.ts';
import type { Backend } from '../../engines/backend.ts';
import { isUp } from '../fleet.ts';
import type { UpstreamCall } from '../upstream.ts';
import { openQuestion } from './backends.ts';
import { modelIn, readJson, sendJson } from './call.ts';
import type { SurfaceCall } from './call.ts';
import { managedBackends, withoutBackends } from './managed-backends.ts';
import { answerPlan, wantsPlan } from './plan.ts';

export type ProgressVerb = 'pull' | 'push' | 'create';

export async function answerProgress(call: SurfaceCall, verb: ProgressVerb): Promise<void> {
  const body = await readJson(call);
  const model = modelIn(body);
  const chosen = (backends: readonly Backend[]): Backend => pusherOf(backends, model);
  if (wantsPlan(call)) {
    await answerPlan(call, { verb, model, body, ...(verb === 'push' && { chosen }) });
    return;
  }
  const all = managedBackends(call, body);
  const backends = verb === 'push' ? [chosen(all)] : all;
  const { name: _oldName, ...rest } = withoutBackends(body);
  new ProgressAnswer(call, { verb, backends, body: { ...rest, model } }).start();
}

/** One that has the model, for what two push at the same time is a race for the same name. */
function pusherOf(all: readonly Backend[], model: string): Backend {
  const having = all.filter(({ view }) => view.models.has(model));
  const found = having.find(isUp) ?? having[0] ?? all.find(isUp) ?? all[0];
  if (found === undefined) throw new TypeError('there is always one to ask');
  return found;
}

interface Work {
  readonly verb: ProgressVerb;
  readonly backends: readonly Backend[];
  readonly body: JsonObject;
}

/** Longest body of an error answer that is looked at. */
const errorBytesMax = 64 * 1024;

class ProgressAnswer {
  readonly #call: SurfaceCall;
  readonly #work: Work;
  readonly #merger: ProgressMerger;
  readonly #running: UpstreamCall[] = [];
  readonly #stream: boolean;
  /** Of backends that answered with an error. */
  #errorStatus = 0;

  constructor(call: SurfaceCall, work: Work) {
    this.#call = call;
    this.#work = work;
    this.#stream = work.body['stream'] !== false;
    this.#merger = new ProgressMerger({
      backends: work.backends.map(({ id }) => id),
      onLine: (line) => this.#write(line),
    });
  }

  start(): void {
    const { response } = this.#call;
    // An Ollama gives a pull up when its client leaves.
    response.once('close', () => {
      for (const running of this.#running) running.abort();
    });
    for (const backend of this.#work.backends) this.#running.push(this.#ask(backend));
  }

  #ask(backend: Backend): UpstreamCall {
    const { verb, body } = this.#work;
    const { id } = backend;
    const question = {
      method: 'POST',
      path: `/api/${verb}`,
      body: { ...body, stream: true },
      call: this.#call,
    };
    const error: Buffer[] = [];
    let errorBytes = 0;
    let status = 0;
    return openQuestion(backend, question, {
      onHead: (received) => {
        status = received;
        if (status >= 400 && this.#errorStatus === 0) this.#errorStatus = status;
      },
      onData: (chunk) => {
        if (status < 400) this.#merger.push(id, chunk);
        else if ((errorBytes += chunk.length) <= errorBytesMax) error.push(chunk);
      },
      onEnd: () => {
        // The others may take long: the model can be used here already.
        this.#call.parts.registry.probeNow(id);
        if (status < 400) this.#merger.end(id);
        else this.#merger.fail(id, readError(status, Buffer.concat(error).toString()).message);
      },
      onFailure: (reason) => {
        this.#call.parts.registry.probeNow(id);
        this.#merger.fail(id, reason);
      },
    });
  }

  #write(line: string): void {
    const { response } = this.#call;
    const isLast = this.#merger.outcome !== undefined;
    if (isLast) this.#noteOutcome();
    if (!this.#stream || (isLast && !response.headersSent)) {
      if (isLast) this.#finishWhole();
      return;
    }
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    // Later lines tell all that the ones before did: a slow client misses nothing.
    if (isLast) response.end(line);
    else if (!response.writableNeedDrain) response.write(line);
  }

  /** No progress was shown: the status can still say how it went. */
  #finishWhole(): void {
    const { outcome } = this.#merger;
    if (outcome === undefined) return;
    const failedStatus = this.#errorStatus === 0 ? 502 : this.#errorStatus;
    sendJson(this.#call, outcome.failed.size === 0 ? 200 : failedStatus, lastLine(outcome));
  }

  #noteOutcome(): void {
    const { parts, id } = this.#call;
    const { outcome } = this.#merger;
    const { verb, body } = this.#work;
    const details = { request: id, model: body['model'], succeeded: outcome?.succeeded };
    if (outcome?.failed.size === 0) parts.log.info(details, `Model ${verb} finished`);
    else
      parts.log.warn(
        { ...details, failed: Object.fromEntries(outcome?.failed ?? []) },
        `Model ${verb} failed`,
      );
  }
}
