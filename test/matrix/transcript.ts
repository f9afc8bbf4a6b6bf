/**
 * Prints what a client reads in a streamed loop of tools in two turns, by the Messages and by the Responses API, over
 * an engine that has chat completions only. Run it with node; nothing else imports it.
 */
import { startRouter } from '../integration/start-router.ts';
import { startRecordedEngine } from './engines/recorded-engine.ts';
import { modelName, subjects } from './engines/subjects.ts';
import { scenarios, type Fields } from './scenario.ts';

const scenario = scenarios.find(({ name }) => name === 'tools, two turns');
const subject = subjects.find(({ title }) => title === 'chat completions only');
if (scenario === undefined || subject === undefined) throw new Error('the matrix has no such row or engine');

const [tool] = scenario.turns[0]?.asked.tools ?? [];
const question = (mark: string) => `${mark} What is the weather in Delft?`;
const result = '21 degrees';
const call = { id: 'call_delft_1', name: 'get_weather', arguments: { city: 'Delft' } };

const engine = await startRecordedEngine(subject);
const router = await startRouter({ backends: { e: { url: engine.url } } });
await router.ready();
for (const [index, { path, turns }] of [messages('cell-0:'), responses('cell-1:')].entries()) {
  const cell = engine.open(`cell-${index}:`, scenario);
  for (const body of turns) await show(path, { model: modelName, stream: true, ...body });
  process.stdout.write(`# the engine was asked: ${cell.arrived.map((each) => each.path).join(', ')}\n\n`);
}
await router[Symbol.asyncDispose]();
await engine.close();

async function show(path: string, body: Fields): Promise<void> {
  process.stdout.write(`> POST ${path}\n> ${JSON.stringify(body)}\n\n`);
  const response = await fetch(`${router.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
  process.stdout.write(
    `< ${response.status} ${response.headers.get('content-type')}\n${await response.text()}`,
  );
}

interface Loop {
  readonly path: string;
  readonly turns: readonly Fields[];
}

function messages(mark: string): Loop {
  const { id, name, arguments: input } = call;
  const tools = [{ name, description: tool?.description, input_schema: tool?.parameters }];
  const asked = { role: 'user', content: question(mark) };
  const called = { role: 'assistant', content: [{ type: 'tool_use', id, name, input }] };
  const told = { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: result }] };
  const turn = (...said: readonly Fields[]): Fields => ({ max_tokens: 512, tools, messages: said });
  return { path: '/v1/messages', turns: [turn(asked), turn(asked, called, told)] };
}

function responses(mark: string): Loop {
  const { id, name, arguments: values } = call;
  const tools = [{ type: 'function', name, description: tool?.description, parameters: tool?.parameters }];
  const asked = { role: 'user', content: question(mark) };
  const called = { type: 'function_call', call_id: id, name, arguments: JSON.stringify(values) };
  const told = { type: 'function_call_output', call_id: id, output: result };
  const turn = (...input: readonly Fields[]): Fields => ({ store: false, tools, input });
  return { path: '/v1/responses', turns: [turn(asked), turn(asked, called, told)] };
}
