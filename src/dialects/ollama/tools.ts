/** Tools and tool calls of Ollama: OpenAI's form, but for arguments, which are an object. */
import { parseExactJson } from '../../base/exact-json.ts';
import { toFunctionCall, toFunctionTool } from '../custom-tools.ts';
import {
  isObject,
  optionalObject,
  optionalObjects,
  optionalString,
  pathOf,
  requiredObject,
  requiredString,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import type { ToolCallPart } from '../ir/parts.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, FunctionTool, JsonObject } from '../ir/request.ts';

/** @throws RequestShapeError */
export function readTools(request: Place): readonly FunctionTool[] | undefined {
  return optionalObjects(request, 'tools')?.map((tool) => {
    const about = requiredObject(tool, 'function');
    const description = optionalString(about, 'description');
    const parameters = optionalObject(about, 'parameters')?.fields;
    return {
      kind: 'function',
      name: requiredName(about),
      ...(description !== undefined && { description }),
      ...(parameters !== undefined && { parameters }),
    };
  });
}

function requiredName(place: Place): string {
  const name = requiredString(place, 'name');
  if (name === '') throw new RequestShapeError(pathOf(place, 'name'), 'must not be empty');
  return name;
}

/** Ollama reads `type` and `properties` without asking whether they are there. */
const noParameters: JsonObject = { type: 'object', properties: {} };

/**
 * The tools that the model is to know of. Ollama has no `tool_choice`: what may be called is said by what is offered,
 * and what must be called cannot be said.
 */
export function writeTools(
  { tools, toolChoice, parallelToolCalls, wantsFunctionCall }: ChatRequest,
  onDropped: (field: string) => void,
): readonly JsonObject[] | undefined {
  if (parallelToolCalls === false && wantsFunctionCall !== true) onDropped('parallel_tool_calls');
  if (tools === undefined || toolChoice?.kind === 'none') return undefined;
  const mustCall = toolChoice?.kind === 'required' || toolChoice?.kind === 'tool';
  if (mustCall || (toolChoice?.kind === 'allowed' && toolChoice.required)) onDropped('tool_choice');
  const offered = offeredNames(toolChoice);
  const written: JsonObject[] = [];
  for (const tool of tools) {
    if (tool.kind === 'builtin') {
      onDropped(`tools[].${tool.type}`);
      continue;
    }
    if (offered !== undefined && !offered.has(tool.name)) continue;
    const known = tool.kind === 'custom' ? toFunctionTool(tool) : tool;
    if (known.strict === true) onDropped('tools[].function.strict');
    const { name, description, parameters = noParameters } = known;
    const about = { name, ...(description !== undefined && { description }), parameters };
    written.push({ type: 'function', function: about });
  }
  return written.length === 0 ? undefined : written;
}

function offeredNames(choice: ChatRequest['toolChoice']): ReadonlySet<string> | undefined {
  if (choice?.kind === 'tool') return new Set([choice.name]);
  return choice?.kind === 'allowed' ? new Set(choice.names) : undefined;
}

/** `id` of a call in a request. @throws RequestShapeError */
export function readToolCall(call: Place, id: string): ToolCallPart {
  const about = requiredObject(call, 'function');
  const given = optionalObject(about, 'arguments')?.fields ?? {};
  return { kind: 'toolCall', id, name: requiredName(about), arguments: JSON.stringify(given) };
}

/** What a model left unfinished goes as free text does. */
export function writeToolCall(call: ToolCallPart): JsonObject {
  const given = call.custom === true ? undefined : tryParseArguments(call.arguments);
  const known = given ?? tryParseArguments(toFunctionCall(call).arguments);
  return { id: call.id, function: { name: call.name, arguments: known } };
}

/** Undefined for what is no JSON object. Nothing at all stands for no arguments: some engines send it so. */
export function tryParseArguments(text: string): JsonObject | undefined {
  if (text.trim() === '') return {};
  try {
    const value = parseExactJson(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
