/** Browser code of the monitor: tokens of today by model, and by key for readers who may know the keys. */

export const tokens = String.raw`
const usedColumns = [
  { style: 'name', text: (row) => row.name, title: (row) => row.name },
  { style: 'number', text: (row) => amount(row.input_tokens) },
  { style: 'number', text: (row) => amount(row.output_tokens), title: (row) => (row.reasoning_tokens === 0 ? '' : amount(row.reasoning_tokens) + ' of them reasoning') },
  { style: 'number', text: (row) => cachedShare(row) },
  { style: 'number', text: (row) => amount(row.requests), title: (row) => row.errors + ' with an error, ' + row.estimated_requests + ' with guessed tokens' },
];
const usedOptions = { key: (row) => row.name, words: (row) => [row.name], columns: usedColumns };
const usedKeysMs = 10000;
let usedKeys = [];
let usedKeysAt = -Infinity;

function showTokens(data) {
  const { tokens } = data;
  const today = tokens.today;
  showFigure('used', amount(today.total_tokens), 'tokens');
  drawSpark('used', tokens.hour.tokens, tokens.hour.at_epoch_s, {
    say: (value) => amount(value) + ' in a minute',
    sub: amount(today.input_tokens) + ' in · ' + amount(today.output_tokens) + ' out' + (today.input_tokens === 0 ? '' : ' · ' + cachedShare(today) + ' cached'),
  });
  showList('used-model', tokens.models, tokens.models.length, usedOptions);
  if (data.names_hidden) usedKeys = [];
  else readKeys();
  showList('used-key', usedKeys, usedKeys.length, usedOptions);
}

/** Not at every poll, and never in its way: what was read last is shown until more is known. */
async function readKeys() {
  if (performance.now() - usedKeysAt < usedKeysMs) return;
  usedKeysAt = performance.now();
  try {
    const answer = await call('GET', 'api/usage/keys?limit=8&from=' + data.now.slice(0, 10) + 'T00:00:00Z');
    if (answer === undefined) return;
    usedKeys = answer.keys.filter((row) => row.total_tokens > 0).map((row) => ({ name: row.key, ...row }));
    if (data !== undefined) showTokens(data);
  } catch {
    usedKeys = [];
  }
}
`;
