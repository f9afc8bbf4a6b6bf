/** Browser code of the monitor: verbs, the key they may need, and the details of one request. */

export const actions = String.raw`
const keyName = 'llamero.key';
const keyHeaders = (key) => (key === null ? {} : { authorization: 'Bearer ' + key });

/** Calls the API. Undefined = the user gave up at the key. Throws with the API's own message. */
async function call(method, path) {
  const response = await requestWithKey(method, path);
  if (response === undefined) return undefined;
  const body = await bodyOf(response);
  if (!response.ok) throw new Error(body.error.message);
  return body;
}

function bodyOf(response) {
  const isJson = (response.headers.get('content-type') || '').startsWith('application/json');
  return isJson ? response.json() : response.text();
}

/** Asks for a key when the API wants one. Undefined = the user gave up. */
async function requestWithKey(method, path, signal) {
  for (let round = 0; round < 3; round += 1) {
    const key = sessionStorage.getItem(keyName);
    const response = await fetch(path, { method, headers: keyHeaders(key), cache: 'no-store', signal });
    if (response.status !== 401) return response;
    sessionStorage.removeItem(keyName);
    if (!(await askForKey())) return undefined;
  }
  throw new Error('The key was refused');
}

function askForKey() {
  const dialog = byId('key-dialog');
  const field = byId('key');
  field.value = '';
  dialog.returnValue = '';
  dialog.showModal();
  field.focus();
  return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'given'), { once: true }));
}

byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(keyName, byId('key').value);
  byId('key').value = '';
  byId('key-dialog').close('given');
});

async function act(method, path, done) {
  try {
    if ((await call(method, path)) === undefined) return;
    toast(done);
    poll();
  } catch (error) {
    toast(error.message, true);
  }
}

byId('traffic').addEventListener('click', () => {
  const running = data !== undefined && data.demo_traffic;
  act('POST', 'api/demo/traffic/' + (running ? 'stop' : 'start'), running ? 'Simulated users go away' : 'Simulated users come');
});

/** Two steps, so that a slip does not end somebody's answer. */
function cancelButton(id) {
  let timer;
  const label = 'Cancel request ' + shortId(id);
  const button = make('button', { class: 'button small danger', text: 'Cancel', 'aria-label': label, onclick() {
    if (timer === undefined) {
      button.classList.add('armed');
      button.textContent = 'Really?';
      button.setAttribute('aria-label', label + ': press again to confirm');
      timer = setTimeout(disarm, 3000);
      return;
    }
    disarm();
    act('POST', 'api/requests/' + encodeURIComponent(id) + '/cancel', 'Request ' + shortId(id) + ' cancelled');
  } });
  function disarm() {
    clearTimeout(timer);
    timer = undefined;
    button.classList.remove('armed');
    button.textContent = 'Cancel';
    button.setAttribute('aria-label', label);
  }
  return button;
}

function backendButtons({ id, state }) {
  const path = 'api/backends/' + encodeURIComponent(id) + '/';
  const verb = (text, action, done) => make('button', { class: 'button small ghost', text, 'aria-label': text + ' ' + id, onclick: () => act('POST', path + action, id + ': ' + done) });
  return [
    verb('Probe', 'probe', 'probe asked for'),
    state === 'draining' ? verb('Resume', 'resume', 'takes requests again') : verb('Drain', 'drain', 'takes no new requests'),
  ];
}

function showRequest(id) {
  const record = [...data.in_flight, ...data.recent, ...data.queue].find((r) => r.request_id === id);
  if (record === undefined) return;
  setText(byId('request-title'), 'Request ' + shortId(id));
  byId('request-body').replaceChildren(...requestDetails(record));
  byId('request-dialog').showModal();
}

function requestDetails(r) {
  const rows = [['Request ID', r.request_id], ['Model', modelName(r.model_id)], ['Session', r.session_id || 'none']];
  if (r.route !== undefined) {
    const tokens = (r.input_tokens === null ? '~' + amount(r.estimated_tokens) : amount(r.input_tokens)) + ' in' + (r.cached_tokens ? ' (' + amount(r.cached_tokens) + ' cached)' : '') + ', ' + amount(r.output_tokens) + ' out';
    rows.push(['Route', r.route + (r.stream ? ', streamed' : '')], ['Started', new Date(r.started_at).toLocaleString()], ['Tokens', tokens]);
    rows.push(['State', r.outcome === null ? phaseText(r) : r.outcome.replaceAll('_', ' ') + (r.status === null ? '' : ', status ' + r.status) + (r.error_code === null ? '' : ', ' + r.error_code)]);
    if (r.attempts.length > 0) rows.push(['Attempts', r.attempts.map((a) => a.backend_id + (a.failure === null ? '' : ' failed: ' + a.failure)).join(' → ')]);
    if (r.cache !== null) rows.push(['Cache of answers', cacheWords[r.cache]]);
    if (r.ensemble !== null) rows.push(['Ensemble', r.ensemble]);
    if (r.parent !== null) rows.push(['Part of', r.parent.request_id + ' (' + r.parent.purpose + ')']);
    if (r.repairs.length > 0) rows.push(['Repaired', r.repairs.join(', ')]);
  } else rows.push(['Place in the queue', '#' + r.position], ['Waited', duration(r.wait_seconds)], ['Overtaken', r.overtaken + ' times'], ['Estimated tokens', amount(r.estimated_tokens)], ['Priority', r.priority.toFixed(1)]);
  const list = make('dl', {}, rows.flatMap(([name, value]) => [make('dt', { text: name }), make('dd', { text: value })]));
  const why = make('div', {}, [make('h3', { text: 'Why there?' })]);
  if (r.route === undefined || r.backend_id === null) return [list];
  const ask = make('button', { class: 'button small', text: 'Show the decision', onclick: () => explain(r.request_id, why) });
  why.append(ask);
  return [list, ...timeline(r), why];
}

function timeline(r) {
  if (r.total_ms === null || r.first_byte_ms === null) return [];
  const queued = Math.min(r.queued_ms || 0, r.first_byte_ms);
  const parts = [['t-queued', queued, 'waited'], ['t-first', r.first_byte_ms - queued, 'to the first byte'], ['t-answer', r.total_ms - r.first_byte_ms, 'answer']];
  const bar = make('div', { class: 'timeline', 'aria-hidden': 'true' }, parts.map(([name]) => make('span', { class: name })));
  parts.forEach(([, ms], index) => bar.children[index].style.setProperty('flex-grow', String(ms)));
  return [make('h3', { text: 'Time' }), bar, make('p', { text: parts.map(([, ms, word]) => milliseconds(ms) + ' ' + word).join(' · ') })];
}

async function explain(id, place) {
  try {
    const answer = await call('GET', 'api/decisions?request=' + encodeURIComponent(id));
    if (answer === undefined) return;
    const found = answer.decisions.map((d) => make('div', {}, [
      make('p', { text: 'Attempt ' + d.attempt + ' went to ' + d.backend_id + ' after ' + milliseconds(d.waited_ms) + (d.overtook > 0 ? ', overtaking ' + d.overtook : '') + ' (' + d.picker + ')' }),
      make('table', {}, [make('tbody', {}, d.candidates.map((c) => make('tr', { class: c.backend_id === d.backend_id ? 'winner' : '' }, [
        make('td', {}, [make('span', { text: c.backend_id }), make('div', { class: 'scores', text: c.excluded_by === null ? Object.entries(c.scores).map(([name, value]) => name + ' ' + value.toFixed(2)).join(', ') : 'left out: ' + c.excluded_by })]),
        make('td', { class: 'number', text: c.excluded_by === null ? c.score.toFixed(2) : '–' }),
      ])))]),
    ]));
    place.replaceChildren(make('h3', { text: 'Why there?' }), ...(found.length > 0 ? found : [make('p', { text: 'The decision is no longer kept.' })]));
  } catch (error) {
    toast(error.message, true);
  }
}
`;
