/** Browser code of the monitor: loading and unloading a model by hand, after its plan has been read. */

export const models = String.raw`
const loadPath = (model) => 'api/models/load/' + encodeURIComponent(model);
const unloadPath = (model) => 'api/models/unload/' + encodeURIComponent(model);

function modelButtons({ model_id, state }) {
  const verb = (text, plan) => make('button', { class: 'button small ghost', text, 'aria-label': text + ' ' + model_id, onclick: () => plan(model_id) });
  if (state === 'stopped' || state === 'failed') return [verb('Load', planLoad)];
  return state === 'ready' || state === 'starting' ? [verb('Unload', planUnload)] : [];
}

async function planLoad(model) {
  const plan = await planOf(loadPath(model));
  if (plan === undefined) return;
  showPlan({ title: 'Load ' + model, verb: 'Load', lines: loadLines(plan), possible: plan.would === 'load' }, () => act('POST', loadPath(model) + '?wait=false', model + ': loading'));
}

async function planUnload(model) {
  const plan = await planOf(unloadPath(model));
  if (plan === undefined) return;
  const [{ requests, would }] = plan.models;
  const line = would === 'nothing' ? 'It is not loaded.' : requests === 0 ? 'Nothing runs on it.' : plural(requests, 'request runs', 'requests run') + ' on it and may finish first.';
  showPlan({ title: 'Unload ' + model, verb: 'Unload', lines: [line], possible: would === 'unload' }, () => act('POST', unloadPath(model), model + ': unloaded'));
}

/** Undefined = there is none, and the reader was told why. */
async function planOf(path) {
  try {
    return await call('POST', path + '?plan=true');
  } catch (error) {
    toast(error.message, true);
    return undefined;
  }
}

function loadLines(plan) {
  if (plan.would === 'nothing') return ['It is loaded already, or about to be.'];
  if (plan.would === 'fail') return ['It cannot be loaded: ' + plan.reason + '.'];
  const memory = [['VRAM', plan.need.vram_bytes], ['RAM', plan.need.ram_bytes]].filter(([, bytes]) => bytes !== null);
  return [
    ...(memory.length === 0 ? [] : ['Takes ' + memory.map(([kind, bytes]) => (bytes / 2 ** 30).toFixed(1) + ' GiB of ' + kind).join(' and ') + '.']),
    ...plan.evicts.map(({ model_id, busy }) => 'Unloads ' + model_id + (busy ? ', once its requests are over.' : ', which is idle.')),
    ...plan.awaits.map((model) => 'Waits for ' + model + ', which is being unloaded.'),
    ...(plan.evicts.length + plan.awaits.length === 0 ? ['Nothing has to be unloaded for it.'] : []),
  ];
}

function showPlan({ title, verb, lines, possible }, go) {
  const button = byId('plan-go');
  setText(byId('plan-title'), title);
  byId('plan-body').replaceChildren(make('ul', {}, lines.map((text) => make('li', { text }))));
  setText(button, verb);
  button.hidden = !possible;
  button.onclick = () => {
    byId('plan-dialog').close();
    go();
  };
  byId('plan-dialog').showModal();
}
`;
