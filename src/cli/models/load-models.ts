/** `llamero models load` and `unload`: the processes that the router starts itself. */
import { plainTable } from '../plain-table.ts';
import { bytesText } from '../top/figures.ts';
import { plainText } from '../top/text-width.ts';
import { loadPlan, unloadPlan, type LoadPlan, type UnloadPlan } from './model-answers.ts';
import { askForJson, askToDo, pathWith, print, printDone, type ModelsCall } from './models-call.ts';

export async function loadModel(call: ModelsCall): Promise<void> {
  const [model = ''] = call.flags.names;
  const asking = { method: 'POST', path: pathWith(call, `api/models/load/${encodeURIComponent(model)}`) };
  if (call.flags.plan) {
    const plan = await askForJson(call, asking, loadPlan);
    print(call, plan, loadPlanText(plan));
    return;
  }
  if (!call.flags.json) call.io.stderr(`Loading ${plainText(model)}\n`);
  await askToDo(call, asking);
  printDone(call, `${plainText(model)} is loaded`);
}

export async function unloadModels(call: ModelsCall): Promise<void> {
  const [model] = call.flags.names;
  const rest = model === undefined ? '' : `/${encodeURIComponent(model)}`;
  const asking = { method: 'POST', path: pathWith(call, `api/models/unload${rest}`) };
  if (call.flags.plan) {
    const plan = await askForJson(call, asking, unloadPlan);
    print(call, plan, unloadPlanText(plan));
    return;
  }
  await askToDo(call, asking);
  printDone(call, model === undefined ? 'All models are unloaded' : `${plainText(model)} is unloaded`);
}

function loadPlanText({ model_id: model, would, reason, need, evicts, awaits }: LoadPlan): string {
  if (would === 'nothing') return `${plainText(model)} is loaded already\n`;
  if (would === 'fail') return plainText(`${model} cannot be loaded: ${reason ?? 'no reason given'}`) + '\n';
  const needs = [
    [need.vram_bytes, 'GPU memory'],
    [need.ram_bytes, 'memory'],
  ] as const;
  const said = needs.flatMap(([bytes, what]) => (bytes === null ? [] : [`${bytesText(bytes)} of ${what}`]));
  const lines = [
    `${model} would be loaded${said.length === 0 ? '' : `, into ${said.join(' and ')}`}`,
    ...evicts.map(
      (one) => `${one.model_id} would stop for it${one.busy ? ', once its requests are over' : ''}`,
    ),
    ...awaits.map((other) => `${other} stops already`),
  ];
  return lines.map((line) => `${plainText(line)}\n`).join('');
}

function unloadPlanText({ models }: UnloadPlan): string {
  const rows = models.map((one) => [one.model_id, one.state ?? '-', one.would, String(one.requests)]);
  return plainTable(['NAME', 'STATE', 'WOULD', 'REQUESTS'], rows);
}
