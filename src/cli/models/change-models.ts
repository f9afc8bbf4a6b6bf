/** `llamero models pull`, `push`, `copy`, `delete` and `create`: models that Ollamas keep, on all that the router manages or on those that are named. */
import { LineReader } from '../../base/line-reader.ts';
import { plainTable } from '../plain-table.ts';
import { RouterFault } from '../router/router-request.ts';
import { bytesText } from '../top/figures.ts';
import { plainText } from '../top/text-width.ts';
import { changePlan, progressLine, type ChangePlan, type ProgressLine } from './model-answers.ts';
import { askForJson, askRouter, askToDo, pathWith, print, printDone } from './models-call.ts';
import type { Asking, ModelsCall } from './models-call.ts';
import { createLiveProgress, createPlainProgress, type ProgressView } from './progress-view.ts';

const digestLength = 12;
const sizeUnknown = { columns: 80, rows: 24 };

export function pullModel(call: ModelsCall): Promise<void> {
  const [model = ''] = call.flags.names;
  return changeWithProgress(call, { verb: 'pull', body: { model }, done: 'is on' });
}

export function pushModel(call: ModelsCall): Promise<void> {
  const [model = ''] = call.flags.names;
  return changeWithProgress(call, { verb: 'push', body: { model }, done: 'was pushed by' });
}

export async function copyModel(call: ModelsCall): Promise<void> {
  const [source = '', destination = ''] = call.flags.names;
  const asking = { method: 'POST', path: pathWith(call, 'api/copy'), json: { source, destination } };
  if (call.flags.plan) return printPlan(call, asking);
  await askToDo(call, asking);
  printDone(call, plainText(`${source} is also ${destination}`));
}

export async function deleteModel(call: ModelsCall): Promise<void> {
  const [model = ''] = call.flags.names;
  const asking = { method: 'DELETE', path: pathWith(call, 'api/delete'), json: { model } };
  if (call.flags.plan) return printPlan(call, asking);
  await askToDo(call, asking);
  printDone(call, plainText(`${model} is deleted`));
}

export interface LongChange {
  readonly verb: 'pull' | 'push' | 'create';
  readonly body: { readonly model: string };
  /** Between the model and those that have done it. */
  readonly done: string;
  /** Where it shows; default: a view of its own. */
  readonly view?: ProgressView;
}

/** Rejects with a RouterFault that names who failed and who did not. */
export async function changeWithProgress(call: ModelsCall, change: LongChange): Promise<void> {
  const { verb, body, done, view = openProgress(call) } = change;
  const asking = { method: 'POST', path: pathWith(call, `api/${verb}`), json: body };
  if (call.flags.plan) return printPlan(call, asking);
  const last = await followProgress(call, asking, view).finally(() => view.end());
  if (call.flags.json) return;
  const where = last.backends === undefined ? '' : ` ${done} ${last.backends.join(', ')}`;
  call.io.stdout(`${plainText(`${body.model}${where}`)}\n`);
}

/** With `--json` nothing shows but what the router says. */
export function openProgress({ flags, io }: ModelsCall): ProgressView {
  if (flags.json) return { show: () => {}, end: () => {} };
  const write = (text: string): void => io.stderr(text);
  if (!io.stderrIsTty) return createPlainProgress(write);
  const output = io.terminal?.output;
  const size = () => ({
    columns: output?.columns || sizeUnknown.columns,
    rows: output?.rows || sizeUnknown.rows,
  });
  return createLiveProgress({ write, size, nowMs: () => performance.now() });
}

/** The line that said it is done. */
function followProgress(call: ModelsCall, asking: Asking, view: ProgressView): Promise<ProgressLine> {
  return askRouter(call, asking, async (response) => {
    let last: ProgressLine = {};
    const reader = new LineReader({
      onLine(text) {
        const line = progressLine.parse(JSON.parse(text));
        if (call.flags.json) call.io.stdout(`${JSON.stringify(line)}\n`);
        if (line.error === undefined && line.status !== 'success') view.show(line);
        last = line;
      },
    });
    for await (const chunk of response as AsyncIterable<Buffer>) reader.push(chunk);
    reader.end();
    if (last.error !== undefined) throw new RouterFault(plainText(last.error));
    if (last.status !== 'success') throw new RouterFault('The answer ended before its end');
    return last;
  });
}

async function printPlan(call: ModelsCall, asking: Asking): Promise<void> {
  const plan = await askForJson(call, asking, changePlan);
  print(call, plan, planText(plan));
}

function planText({ backends }: ChangePlan): string {
  const rows = backends.map(({ backend, would, bytes, digest, loaded, reason }) => [
    backend,
    would,
    bytes === undefined ? '-' : bytesText(bytes),
    digest?.slice(0, digestLength) ?? '-',
    loaded === undefined ? '-' : loaded ? 'yes' : 'no',
    reason ?? '',
  ]);
  return plainTable(['BACKEND', 'WOULD', 'SIZE', 'DIGEST', 'LOADED', 'REASON'], rows);
}
