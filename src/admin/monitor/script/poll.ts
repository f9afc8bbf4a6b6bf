/** Browser code of the monitor: polling, what is shown when it fails, settings of the reader, shortcuts. */

export const poll = String.raw`
let data;
let filter = '';
let paused = false;
let failures = 0;
let receivedAt = 0;
let nextAt = 0;
let timer;
let polling = false;
const lastStates = new Map();

const intervalMs = () => Number(byId('interval').value);

async function poll() {
  if (polling) return;
  polling = true;
  clearTimeout(timer);
  try {
    const key = sessionStorage.getItem(keyName);
    const response = await fetch('monitor/data', { headers: keyHeaders(key), cache: 'no-store', signal: AbortSignal.timeout(8000) });
    if (!response.ok) throw new Error('status ' + response.status);
    data = await response.json();
    if (data.names_hidden && key !== null) {
      sessionStorage.removeItem(keyName);
      toast('The key was refused', true);
    }
    if (failures > 0) announce('Connected again');
    failures = 0;
    receivedAt = Date.now();
    show();
  } catch {
    failures += 1;
    if (failures === 1) announce('Connection to the router lost');
  }
  polling = false;
  const delay = failures === 0 ? intervalMs() : Math.min(10000, 1000 * 2 ** Math.min(failures - 1, 4));
  nextAt = Date.now() + delay;
  showConnection();
  if (!paused && !document.hidden) timer = setTimeout(poll, delay);
}

function show() {
  setText(byId('facts'), 'v' + data.version + ' · up ' + duration(data.uptime) + (data.names_hidden ? '' : ' · ' + data.listen.join(', ')));
  byId('demo').hidden = !data.demo;
  setText(byId('traffic'), data.demo_traffic ? 'Stop simulated users' : 'Start simulated users');
  byId('locked').hidden = !data.names_hidden;
  document.body.classList.toggle('locked', data.names_hidden);
  byId('draining').hidden = !data.draining;
  byId('reload').hidden = data.reload_problem === null;
  setText(byId('reload-text'), data.reload_problem === null ? '' : data.reload_problem + ' (the old one stays in force)');
  showFigures(data);
  showTables(data);
  showTokens(data);
  showDays(data);
  showHost(data);
  for (const { id, state, reason } of data.backends) {
    const before = lastStates.get(id);
    if (before !== undefined && before !== state) announce('Backend ' + id + ' is ' + state + (reason === null ? '' : ': ' + reason));
    lastStates.set(id, state);
  }
}

function showConnection() {
  const state = byId('state');
  const [text, tone] = connectionWords();
  setText(state, text);
  state.className = 'pill ' + tone;
  document.title = (data && data.queue_depth > 0 ? '(' + data.queue_depth + ') ' : '') + 'llamero · ' + text.toLowerCase();
  document.body.classList.toggle('stale', failures > 0);
  byId('offline').hidden = failures === 0;
  if (failures > 0) {
    const old = receivedAt === 0 ? 'No data yet.' : 'What you see is ' + duration((Date.now() - receivedAt) / 1000) + ' old.';
    setText(byId('offline-text'), old + ' Next try in ' + Math.max(0, Math.ceil((nextAt - Date.now()) / 1000)) + ' s.');
  }
}

function connectionWords() {
  if (failures > 0) return ['Offline', 'bad'];
  if (data === undefined) return ['Connecting', ''];
  if (paused) return ['Paused', ''];
  if (data.draining) return ['Draining', 'warn'];
  const { backends_total: total, backends_live: live } = data;
  if (total === 0) return ['No backends', 'warn'];
  if (live === 0) return ['No live backend', 'bad'];
  return live < total ? ['Serving, ' + live + ' of ' + total + ' live', 'warn'] : ['Serving', 'ok pulse'];
}

function setPaused(value) {
  paused = value;
  byId('pause').setAttribute('aria-pressed', String(paused));
  setText(byId('pause').querySelector('span'), paused ? 'Go on' : 'Pause');
  announce(paused ? 'Paused' : 'Refreshing again');
  clearTimeout(timer);
  showConnection();
  if (!paused) poll();
}

const themes = ['auto', 'dark', 'light'];
function setTheme(name) {
  if (name === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  byId('theme').setAttribute('aria-label', 'Theme: ' + (name === 'auto' ? 'automatic' : name));
  localStorage.setItem('llamero.theme', name);
}
const currentTheme = () => document.documentElement.dataset.theme || 'auto';
const nextTheme = () => setTheme(themes[(themes.indexOf(currentTheme()) + 1) % themes.length]);

function setFilter(text) {
  filter = text.trim().toLowerCase();
  if (data === undefined) return;
  showTables(data);
  showTokens(data);
}

const places = { b: 'backends', q: 'queue-panel', i: 'running-panel', f: 'recent-panel' };
let going = false;
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = byId('filter');
  if (event.target === field && event.key === 'Escape') {
    field.value = '';
    setFilter('');
    field.blur();
    return;
  }
  if (event.target.matches('input, select, textarea') || document.querySelector('dialog[open]')) return;
  const place = going ? byId(places[event.key] || '') : null;
  going = event.key === 'g';
  if (place !== null) {
    place.scrollIntoView({ block: 'start' });
    const target = place.matches('[tabindex]') ? place : place.querySelector('.scroll');
    target.focus({ preventScroll: true });
  } else if (event.key === '/') {
    event.preventDefault();
    field.focus();
  } else if (event.key === 'p') setPaused(!paused);
  else if (event.key === 'r') poll();
  else if (event.key === 't') nextTheme();
  else if (event.key === 'l') byId('router-log').click();
  else if (event.key === '?') byId('help-dialog').showModal();
});

byId('pause').addEventListener('click', () => setPaused(!paused));
byId('theme').addEventListener('click', nextTheme);
byId('help').addEventListener('click', () => byId('help-dialog').showModal());
byId('retry').addEventListener('click', poll);
byId('unlock').addEventListener('click', async () => { if (await askForKey()) poll(); });
byId('filter').addEventListener('input', (event) => setFilter(event.target.value));
byId('interval').addEventListener('change', (event) => { localStorage.setItem('llamero.interval', event.target.value); poll(); });
for (const button of document.querySelectorAll('[data-close]')) button.addEventListener('click', () => button.closest('dialog').close());
document.addEventListener('visibilitychange', () => { if (!document.hidden && !paused) poll(); });
setInterval(() => { if (failures > 0) showConnection(); }, 1000);

setTheme(localStorage.getItem('llamero.theme') || 'auto');
const savedInterval = localStorage.getItem('llamero.interval');
if (byId('interval').querySelector('[value="' + CSS.escape(savedInterval || '') + '"]') !== null) byId('interval').value = savedInterval;
poll();
`;
