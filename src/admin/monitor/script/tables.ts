/** Browser code of the monitor: backends, queue, running and finished requests, models. */

export const tables = String.raw`
const stateTone = { live: 'ok', degraded: 'warn', draining: 'warn', dead: 'bad', unknown: '' };
const phaseTone = { reading: '', queued: 'warn', connecting: '', waiting: 'accent', streaming: 'ok pulse' };
const phaseWord = { reading: 'reading', queued: 'queued', connecting: 'connecting', waiting: 'prompt', streaming: 'streaming' };

function phaseText({ phase, prompt_progress }) {
  if (prompt_progress === null || prompt_progress.done >= prompt_progress.total) return phaseWord[phase];
  return 'reading prompt ' + Math.floor((100 * prompt_progress.done) / prompt_progress.total) + ' %';
}

function outcomeTone(outcome) {
  if (outcome === 'completed') return 'ok';
  if (outcome.startsWith('failed') || outcome === 'internal') return 'bad';
  return outcome.startsWith('cancelled') ? '' : 'warn';
}

const matches = (words) => filter === '' || words.some((word) => word !== null && word.toLowerCase().includes(filter));
const pill = (text, tone) => make('span', { class: 'pill ' + tone, text });
const modelName = (id) => (id === null ? '–' : id);

function showBackends(data) {
  byId('no-backends').hidden = data.backends_total > 0;
  byId('backends').hidden = data.backends.length === 0;
  byId('backends').classList.toggle('no-gpu', data.backends.every(({ gpu }) => gpu === null));
  const counts = {};
  for (const { state } of data.backends) counts[state] = (counts[state] || 0) + 1;
  setText(byId('backend-count'), Object.keys(stateTone).filter((state) => counts[state]).map((state) => counts[state] + ' ' + state).join(' · '));
  fillOnce(byId('strip'), data.backends.map(({ state }) => state).join(), () => data.backends.map(({ state, id }) => make('span', { class: state, title: id + ': ' + state })));
  const shown = data.backends.filter((backend) => matches([backend.id, backend.url, ...backend.loaded]));
  syncRows(byId('backend-rows'), shown, ({ id }) => id, () => rowOf(backendColumns, ({ state }) => (state === 'dead' ? 'dead-row' : '')));
}

const backendColumns = [
  { style: 'who', fill: (cell, b) => fillOnce(cell, [b.url, b.engine, b.engine_version].join(' '), () => [make('b', { text: b.id }), make('div', { class: 'dim', text: b.url.replace(/^https?:\/\//, '') + ' · ' + b.engine + (b.engine_version ? ' ' + b.engine_version : '') })]) },
  { style: 'state', fill: (cell, b) => fillOnce(cell, b.state + b.reason, () => [pill(b.state, stateTone[b.state]), ...(b.reason === null ? [] : [make('div', { class: 'why ' + (stateTone[b.state] || 'dim'), text: b.reason })])]) },
  { style: 'slots', fill: fillSlots },
  { style: 'models', fill: (cell, b) => fillOnce(cell, b.loaded.join() + b.sticky_to + b.claimed_for + (b.kept_seconds === null), () => [make('div', { class: 'chips' }, loadedChips(b)), ...(b.kept_seconds === null ? [] : [make('div', { class: 'why', text: 'kept for a moment, others wait' })]), ...(b.claimed_for === null ? [] : [make('div', { class: 'why warn', text: 'emptying itself for request ' + shortId(b.claimed_for) })])]) },
  { style: 'number gpu', label: 'GPU', text: (b) => gpuText(b.gpu), title: (b) => gpuTitle(b.gpu) },
  { style: 'number', label: 'Tokens/s', text: (b) => rate(b.traffic.output_tokens_per_second) },
  { style: 'number', label: 'Requests/min', text: (b) => rate(b.traffic.requests_per_minute) },
  { style: 'number dim', label: 'Probe', text: (b) => (b.probe.at === null ? '–' : milliseconds(b.probe.duration_ms)), title: (b) => (b.probe.at === null ? 'Not probed yet' : 'Last probe ' + new Date(b.probe.at).toLocaleTimeString() + (b.probe.failures_in_row > 0 ? ', ' + b.probe.failures_in_row + ' failed in a row' : '')) },
  { style: 'acts', fill: (cell, b) => fillOnce(cell, String(b.state === 'draining'), () => [make('div', { class: 'actions' }, backendButtons(b))]) },
];

const gpuText = (gpu) => (gpu === null || gpu.load_percent === null ? '–' : Math.round(gpu.load_percent) + ' %');

function gpuTitle(gpu) {
  if (gpu === null) return 'No GPU that is watched';
  if (gpu.count === null) return 'The monitor of its GPUs is silent';
  const gibibytes = (bytes) => (bytes / 2 ** 30).toFixed(1);
  return [
    gpu.count + (gpu.count === 1 ? ' GPU' : ' GPUs'),
    ...(gpu.memory_used_bytes === null || gpu.memory_total_bytes === null ? [] : [gibibytes(gpu.memory_used_bytes) + ' of ' + gibibytes(gpu.memory_total_bytes) + ' GiB']),
    ...(gpu.temperature_celsius === null ? [] : [Math.round(gpu.temperature_celsius) + ' °C']),
  ].join(', ');
}

function loadedChips(backend) {
  if (backend.loaded.length === 0) return [make('span', { class: 'dim', text: 'none' })];
  const chips = backend.loaded.slice(0, 4).map((model) => {
    const sticky = model === backend.sticky_to;
    return make('span', { class: sticky ? 'chip sticky' : 'chip', text: model, title: sticky ? model + ' (the backend is reserved for it for a moment)' : model });
  });
  if (backend.loaded.length > 4) chips.push(make('span', { class: 'dim', text: '+' + (backend.loaded.length - 4), title: backend.loaded.slice(4).join('\n') }));
  return chips;
}

function fillSlots(cell, { slots }) {
  fillOnce(cell, JSON.stringify(slots), () => {
    const parts = [['own', slots.own], ['lingering', slots.lingering], ['foreign', slots.foreign]];
    const free = Math.max(0, slots.total - slots.own - slots.lingering - slots.foreign);
    const label = slots.own + ' in use, ' + slots.lingering + ' client left, ' + slots.foreign + ' used by others, ' + free + ' free, of ' + slots.total;
    if (slots.total > 48) {
      const meter = make('div', { class: 'meter', role: 'img', 'aria-label': label, title: label }, parts.map(([name]) => make('span', { class: name })));
      parts.forEach(([, count], index) => meter.children[index].style.setProperty('width', (count / slots.total) * 100 + '%'));
      return [meter, make('div', { class: 'dim', text: (slots.total - free) + ' of ' + slots.total })];
    }
    const cells = [...parts, ['', free]].flatMap(([name, count]) => Array.from({ length: count }, () => make('i', { class: 'cell ' + name })));
    return [make('div', { class: 'cells', role: 'img', 'aria-label': label, title: label }, cells)];
  });
}

function showList(id, items, total, options) {
  const shown = items.filter((item) => matches(options.words(item)));
  syncRows(byId(id + '-rows'), shown, options.key, () => rowOf(options.columns));
  const none = shown.length === 0;
  byId(id + '-blank').hidden = !none || filter !== '';
  byId(id + '-rows').closest('.scroll').hidden = none && filter === '';
  setText(byId(id + '-count'), filter === '' ? (total === 0 ? '' : amount(total) + (total > shown.length ? ', first ' + shown.length + ' shown' : '')) : shown.length + ' of ' + amount(total));
}

const requestWords = (r) => [r.request_id, r.model_id, r.session_id, r.backend_id || null, r.outcome || null];
const idColumn = { fill: (cell, r) => fillOnce(cell, r.request_id, () => [make('button', { class: 'link', text: shortId(r.request_id), title: r.request_id + ': details', onclick: () => showRequest(r.request_id) })]) };
const modelColumn = { style: 'name', text: (r) => modelName(r.model_id), title: (r) => r.model_id || '' };

const queueOptions = {
  key: (r) => r.request_id,
  words: requestWords,
  columns: [
    { style: 'number dim', text: (r) => String(r.position) },
    idColumn,
    modelColumn,
    { style: 'mono dim', text: (r) => r.session_id || '–' },
    { style: 'number', text: (r) => duration(r.wait_seconds), title: (r) => (r.overtaken > 0 ? 'Overtaken ' + r.overtaken + ' times' : '') },
    { style: 'number', text: (r) => amount(r.estimated_tokens) },
    { style: 'number', text: (r) => r.priority.toFixed(1) },
  ],
};

const runningOptions = {
  key: (r) => r.request_id,
  words: requestWords,
  columns: [
    idColumn,
    modelColumn,
    { text: (r) => (r.backend_id || '–') + (r.attempts.length > 1 ? ' ↻' + (r.attempts.length - 1) : ''), title: (r) => r.attempts.filter((a) => a.failure !== null).map((a) => a.backend_id + ': ' + a.failure).join('\n') },
    { fill: (cell, r) => fillOnce(cell, phaseText(r), () => [pill(phaseText(r), phaseTone[r.phase])]) },
    { style: 'number', text: (r) => duration(r.age_seconds) },
    { style: 'number', text: (r) => milliseconds(r.first_byte_ms) },
    { style: 'number', text: (r) => (r.first_byte_ms === null ? '–' : amount(r.output_tokens)) },
    { fill: (cell, r) => fillOnce(cell, r.request_id, () => [make('div', { class: 'actions' }, [cancelButton(r.request_id)])]) },
  ],
};

const fromCache = ({ cache }) => cache === 'exact' || cache === 'semantic';

const recentOptions = {
  key: (r) => r.request_id,
  words: requestWords,
  columns: [
    idColumn,
    modelColumn,
    { text: (r) => (fromCache(r) ? 'cache' : r.backend_id || '–'), title: (r) => (fromCache(r) ? cacheWords[r.cache] : '') },
    { fill: (cell, r) => fillOnce(cell, r.outcome + r.status, () => [pill(r.outcome.replaceAll('_', ' '), outcomeTone(r.outcome))]), title: (r) => (r.status === null ? 'No status sent' : 'Status ' + r.status) + (r.error_code === null ? '' : ', ' + r.error_code) },
    { style: 'number', text: (r) => milliseconds(r.queued_ms) },
    { style: 'number', text: (r) => milliseconds(r.first_byte_ms) },
    { style: 'number', text: (r) => milliseconds(r.total_ms) },
    { style: 'number', text: (r) => (r.input_tokens === null ? '–' : amount(r.input_tokens) + ' → ' + amount(r.output_tokens)), title: (r) => (r.cached_tokens === null ? '' : amount(r.cached_tokens) + ' of the prompt came from the cache') },
  ],
};

/** A process that comes or goes says so; else the backends that have it. */
function placesText({ state, loaded_on }) {
  if (state === 'starting') return 'loading …';
  if (state === 'stopping') return 'unloading …';
  if (state === 'failed') return 'failed to load';
  return loaded_on.slice(0, 3).join(', ') + (loaded_on.length > 3 ? ' +' + (loaded_on.length - 3) : '') || '–';
}

const modelOptions = {
  key: (m) => m.model_id,
  words: (m) => [m.model_id, ...m.loaded_on],
  columns: [
    { style: 'name mono', fill: (cell, m) => fillOnce(cell, String(m.state !== null), () => [m.state === null ? make('span', { text: m.model_id, title: m.model_id }) : logLink(m.model_id)]) },
    { style: 'dim', text: placesText, title: (m) => m.loaded_on.join('\n') },
    { style: 'number', text: (m) => amount(m.in_flight) },
    { style: 'number', text: (m) => amount(m.queued) },
    { style: 'number', text: (m) => rate(m.traffic.output_tokens_per_second) },
    { style: 'number', text: (m) => amount(m.traffic.requests) },
    { fill: (cell, m) => fillOnce(cell, String(m.state), () => [make('div', { class: 'actions' }, modelButtons(m))]) },
  ],
};

const cacheWords = { exact: 'An earlier answer to the same question', semantic: 'An earlier answer to a similar question', miss: 'No earlier answer was known', bypass: 'Was not looked for' };

/** Nothing is said where no answers are kept. */
function showCache({ cache }) {
  const text = byId('cache');
  text.hidden = cache === null;
  if (cache === null) return;
  const asked = cache.hits + cache.misses;
  const saved = cache.saved_input_tokens + cache.saved_output_tokens;
  setText(text, 'Cache: ' + (asked === 0 ? 'not asked yet' : amount(cache.hits) + ' of ' + amount(asked) + ' known' + (saved === 0 ? '' : ', ' + amount(saved) + ' tokens saved')));
  setTitle(text, plural(cache.hits, 'answer', 'answers') + ' given again, ' + amount(cache.semantic_hits) + ' of them to a similar question; ' + amount(cache.misses) + ' not known; saved ' + amount(cache.saved_input_tokens) + ' tokens in, ' + amount(cache.saved_output_tokens) + ' out');
}

function showTables(data) {
  showBackends(data);
  showList('queue', data.queue, data.queue_depth, queueOptions);
  showList('running', data.in_flight, data.in_flight_count, runningOptions);
  showList('model', data.models, data.models.length, modelOptions);
  showList('recent', data.recent, data.recent.length, recentOptions);
  showCache(data);
  fillOnce(byId('ribbon'), data.recent.map((r) => r.request_id).join(), () => [...data.recent].reverse().map((r) => make('span', { class: outcomeTone(r.outcome), title: r.outcome.replaceAll('_', ' ') })));
}
`;
