/** The fixed part of the monitor page. Everything that comes from data is put in by the script, as text. */

/** Tables by the id of their body, with their columns; `>` marks a column of numbers. */
const tables = {
  'backend-rows': [
    'Backend',
    'State',
    'Slots',
    'Models loaded',
    '>GPU',
    '>Tokens/s',
    '>Requests/min',
    '>Probe',
    '>Actions',
  ],
  'queue-rows': ['>#', 'Request ID', 'Model', 'Session', '>Age', '>Est. tokens', '>Priority'],
  'running-rows': ['Request ID', 'Model', 'Backend', 'Phase', '>Age', '>First byte', '>Tokens', '>Actions'],
  'model-rows': ['Model', 'Loaded on', '>Running', '>Queued', '>Tokens/s', '>Requests', '>Actions'],
  'recent-rows': ['Request ID', 'Model', 'Backend', 'Outcome', '>Waited', '>First byte', '>Total', '>Tokens'],
  'used-model-rows': ['Model', '>In', '>Out', '>Cached', '>Requests'],
  'used-key-rows': ['Key', '>In', '>Out', '>Cached', '>Requests'],
  'day-rows': ['Of', 'Day', '>In', '>Cached', '>Out', '>Requests'],
} as const;

const icons = {
  llama:
    '<path d="M8 21v-6.5M17 21v-7M8 14.5c0-1.4 1-2.5 2.500-2.500H15c2 0 3 .8 3 2.200 0 1 .6 1.600 1.400 1.800M8 14.500V6.500M8 8.500H5.200C4.500 8.500 4 8 4 7.300S4.500 6 5.200 6H6V3l2 2.300L9.500 3v3c.9.600 1.500 1.500 1.500 2.800V12"/>',
  pause: '<path d="M9 5v14M15 5v14"/>',
  theme:
    '<circle cx="12" cy="12" r="8.500"/><path d="M12 3.500v17a8.500 8.500 0 0 0 0-17Z" fill="currentColor"/>',
  queue: '<path d="M4 7h16M4 12h10M4 17h6"/>',
  log: '<path d="M5 5h14M5 10h9M5 15h14M5 20h6"/>',
  idle: '<path d="M3 12h5l2-5 4 10 2-5h5"/>',
  box: '<path d="M4 8l8-4 8 4v8l-8 4-8-4V8ZM4 8l8 4 8-4M12 12v8"/>',
};

export const markup = `
<a class="skip" href="#main">Skip to the fleet</a>
<header class="bar">
  <h1 class="brand">${icon('llama')}llamero</h1>
  <span class="pill" id="state">Connecting</span>
  <span class="facts" id="facts"></span>
  <div class="tools">
    <label class="unseen" for="filter">Filter by model, backend or request</label>
    <input class="field" id="filter" type="search" placeholder="Filter   /" autocomplete="off" spellcheck="false">
    <label class="unseen" for="interval">Refresh every</label>
    <select class="field" id="interval">
      <option value="1000">1 s</option><option value="2000" selected>2 s</option><option value="3000">3 s</option>
    </select>
    <button class="button" id="pause" aria-pressed="false" title="Pause or go on (P)">${icon('pause')}<span>Pause</span></button>
    <button class="button" id="router-log" title="Log of the router (L)">${icon('log')}<span>Log</span></button>
    <button class="button icon" id="theme" title="Theme (T)" aria-label="Theme: automatic">${icon('theme')}</button>
    <button class="button icon" id="help" title="Keyboard shortcuts (?)" aria-label="Keyboard shortcuts">?</button>
  </div>
</header>
<div class="notices">
  <div class="notice bad" id="offline" role="alert" hidden><b>No connection</b><span id="offline-text"></span><button class="button small" id="retry">Try now</button></div>
  <div class="notice info" id="demo" hidden><b>Simulated engines</b><span>The engines, their speeds and their tokens are made up by the demo. The router that serves them is the real one.</span><button class="button small" id="traffic" type="button">Stop traffic</button></div>
  <div class="notice info" id="locked" hidden><b>Figures alone</b><span>Backends, models and requests are shown to who has a key.</span><button class="button small" id="unlock" type="button">Show all</button></div>
  <div class="notice warn" id="draining" hidden><b>Draining</b><span>The router takes no new requests and ends when the running ones have finished.</span></div>
  <div class="notice warn" id="reload" hidden><b>Configuration not taken over</b><span id="reload-text"></span></div>
</div>
<main id="main" tabindex="-1">
  <section class="wide figures" aria-label="Key figures">
    ${figure('tokens', 'Tokens per second')}
    ${figure('requests', 'Requests per minute')}
    ${figure('waiting', 'Waiting in the queue')}
    ${figure('slots', 'Slots in use')}
  </section>
  <section class="wide panel" id="no-backends" hidden aria-label="Add a backend">
    <div class="blank big">${icon('box')}<b>No backends yet</b>
      <span>Tell the router where your inference servers are. One entry is enough:</span>
<pre><span class="note"># llamero.yaml</span>
<span class="key">backends</span>:
  <span class="key">gpu-1</span>:
    <span class="key">url</span>: http://127.0.0.1:8080</pre>
      <span>Engine, models and slots are found out by asking. Then start <code>llamero serve --config llamero.yaml</code>.</span></div>
  </section>
  <section class="wide panel" id="backends" aria-labelledby="backends-title">
    <div class="strip" id="strip" aria-hidden="true"></div>
    <header><h2 id="backends-title">Backends</h2><span class="count" id="backend-count"></span>
      <div class="side legend" aria-hidden="true"><span><i class="cell own"></i>in use</span><span><i class="cell lingering"></i>client left</span><span><i class="cell foreign"></i>used by others</span><span><i class="cell"></i>free</span></div></header>
    ${table('backend-rows', 'Backends with their state, slots, models and speed', 'backends')}
  </section>
  <div class="column left">
  ${panel('queue', 'Queue', blank('queue', 'Queue is empty', 'Every request gets a slot at once.'))}
  ${panel('model', 'Models', blank('box', 'No models in memory', 'Models show up here once an engine has loaded one, or the configuration has one to start.'))}
  </div>
  <div class="column right">
  ${panel('running', 'In flight', blank('idle', 'Nothing is running', 'Requests show up here while an engine works on them.'))}
  ${panel('recent', 'Finished', blank('idle', 'No finished requests yet', 'The last 50 are kept here.'), '<div class="side"><span class="dim" id="cache" hidden></span><div class="ribbon" id="ribbon" aria-hidden="true"></div></div>')}
  </div>
  <section class="wide used" aria-label="Tokens today, in UTC">
    ${figure('used', 'Tokens today, and in the last hour')}
    ${panel('used-model', 'Tokens today by model', blank('idle', 'No tokens yet today', 'What models read and write is counted here, from midnight UTC.'))}
    ${panel('used-key', 'Tokens today by key', blank('idle', 'No tokens yet today', 'Keys, or addresses of callers without one.'))}
  </section>
  <section class="wide panel" id="day-panel" aria-labelledby="day-title">
    <header><h2 id="day-title">Tokens by day, in UTC</h2><span class="count" id="day-count" role="status"></span>
      <div class="side"><span class="legend" aria-hidden="true"><span><i class="cell bar-in"></i>new</span><span><i class="cell bar-cached"></i>cached</span><span><i class="cell bar-out"></i>out</span></span>
        <label class="unseen" for="day-by">Tokens by day also by</label>
        <select class="field" id="day-by"><option value="model">by model</option><option value="backend">by backend</option><option value="key">by key</option></select>
</div></header>
    <div class="day-charts" id="day-charts"></div>
    <details id="day-table"><summary>As a table</summary>${table('day-rows', 'Tokens by day', 'tall')}</details>
    <div class="blank" id="day-blank" hidden>${blank('idle', 'No tokens in the last 14 days', 'What models read and write is counted here.')}</div>
  </section>
  <section class="wide figures host" id="host" aria-label="The host of the router, over ten minutes" hidden>
    ${figure('cpu', 'CPU of this host')}
    ${figure('memory', 'Memory of this host')}
    ${figure('gpu', 'GPUs of this host')}
  </section>
</main>
<div class="toasts" id="toasts" role="status"></div>
<div class="unseen" id="announcer" aria-live="polite"></div>
<dialog id="help-dialog" aria-labelledby="help-title"><h2 id="help-title">Keyboard shortcuts</h2>
  <dl><dt><kbd>/</kbd></dt><dd>Filter by model, backend, session or request</dd><dt><kbd>p</kbd></dt><dd>Pause or go on</dd>
  <dt><kbd>r</kbd></dt><dd>Refresh now</dd><dt><kbd>l</kbd></dt><dd>Log of the router</dd><dt><kbd>t</kbd></dt><dd>Theme: automatic, dark, light</dd>
  <dt><kbd>g</kbd> then <kbd>b</kbd> <kbd>q</kbd> <kbd>i</kbd> <kbd>f</kbd></dt><dd>Go to backends, queue, in flight, finished</dd>
  <dt><kbd>Esc</kbd></dt><dd>Close, or clear the filter</dd><dt><kbd>?</kbd></dt><dd>This list</dd></dl>
  <div class="row"><button class="button" data-close>Close</button></div></dialog>
<dialog id="key-dialog" aria-labelledby="key-title"><form id="key-form"><h2 id="key-title">API key needed</h2>
  <p>This needs one of the router's keys. It is kept for this browser tab only.</p>
  <label class="unseen" for="key">API key</label>
  <input class="field" id="key" type="password" autocomplete="off" required>
  <div class="row"><button class="button" type="button" data-close>Cancel</button><button class="button primary">Use key</button></div></form></dialog>
<dialog id="plan-dialog" aria-labelledby="plan-title"><h2 id="plan-title">Load</h2><div id="plan-body"></div>
  <div class="row"><button class="button" data-close>Cancel</button><button class="button primary" id="plan-go">Load</button></div></dialog>
<dialog class="drawer" id="log-dialog" aria-labelledby="log-title"><button class="button small close" data-close>Close</button>
  <h2 id="log-title">Log</h2>
  <div class="log-bar"><span class="pill" id="log-state">Live</span><span class="dim" id="log-count"></span>
    <button class="button small" id="log-again" hidden>Follow again</button></div>
  <label class="unseen" for="log-filter">Only lines with</label>
  <input class="field" id="log-filter" type="search" placeholder="Only lines with" autocomplete="off" spellcheck="false">
  <div class="log-box"><div class="log-lines" id="log-lines" role="log" aria-live="off" aria-labelledby="log-title" tabindex="0"><div class="log-rows" id="log-rows"></div></div>
    <button class="button small primary" id="log-newer" hidden></button></div></dialog>
<dialog class="drawer" id="request-dialog" aria-labelledby="request-title"><button class="button small close" data-close>Close</button>
  <h2 id="request-title">Request</h2><div id="request-body"></div></dialog>
`;

function icon(name: keyof typeof icons): string {
  return `<svg viewBox="0 0 24 24" width="15" height="15" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${icons[name]}</svg>`;
}

function figure(id: string, title: string): string {
  return `<div class="figure" id="figure-${id}"><h2>${title}</h2><div class="value"><span id="${id}-value">–</span><small id="${id}-unit"></small></div><div class="sub" id="${id}-sub"></div><svg class="spark" id="${id}-spark" viewBox="0 0 100 46" preserveAspectRatio="none" aria-hidden="true"></svg></div>`;
}

function table(id: keyof typeof tables, caption: string, style: string): string {
  const heads = tables[id].map((column) => {
    const title = column.replace('>', '');
    const text = title === 'Actions' ? '<span class="unseen">Actions</span>' : title;
    const styles = [...(column.startsWith('>') ? ['number'] : []), ...(title === 'GPU' ? ['gpu'] : [])];
    return `<th scope="col"${styles.length === 0 ? '' : ` class="${styles.join(' ')}"`}>${text}</th>`;
  });
  return `<div class="scroll ${style}" tabindex="0" role="group" aria-label="${caption}"><table><caption class="unseen">${caption}</caption><thead><tr>${heads.join('')}</tr></thead><tbody id="${id}"></tbody></table></div>`;
}

function blank(name: keyof typeof icons, title: string, text: string): string {
  return `${icon(name)}<b>${title}</b><span>${text}</span>`;
}

type ListPanel = 'queue' | 'running' | 'model' | 'recent' | 'used-model' | 'used-key';

function panel(id: ListPanel, title: string, empty: string, side = ''): string {
  return `<section class="panel" id="${id}-panel" aria-labelledby="${id}-title" tabindex="-1"><header><h2 id="${id}-title">${title}</h2><span class="count" id="${id}-count"></span>${side}</header>${table(`${id}-rows`, title, 'tall')}<div class="blank" id="${id}-blank" hidden>${empty}</div></section>`;
}
