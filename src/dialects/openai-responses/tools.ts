/** Tools and the choice among them, both directions. Knows no messages. */
import { grammarOf } from '../custom-tools.ts';
import type { WriteTarget } from '../dialect.ts';
import {
  isObject,
  objectsOf,
  optionalBoolean,
  optionalObject,
  optionalObjects,
  optionalString,
  pathOf,
  requiredString,
  textOf,
} from '../ir/fields.ts';
import type { Place } from '../ir/fields.ts';
import { RequestShapeError } from '../ir/request-shape-error.ts';
import type { ChatRequest, JsonObject, Tool, ToolChoice } from '../ir/request.ts';
import type { Unread } from '../ir/unread.ts';
import { dialectName } from './name.ts';
import { noteUnread } from './unread.ts';

/** A tool of a group (Codex's servers of tools) under the name that engines know it by: they know no groups. */
export function nameOfTool(group: string | undefined, name: string): string {
  if (group === undefined || group === '') return name;
  return group.endsWith('_') ? `${group}${name}` : `${group}__${name}`;
}

export interface NameInGroup {
  readonly namespace: string;
  readonly name: string;
}

/** The names that tools of groups have for the client, by the name that the engine knows. `tools`: as the client sent them. */
export function groupedNames(tools: unknown): ReadonlyMap<string, NameInGroup> {
  const names = new Map<string, NameInGroup>();
  for (const group of objectsOf(tools)) {
    if (group['type'] !== 'namespace') continue;
    const namespace = textOf(group['name']);
    for (const tool of objectsOf(group['tools'])) {
      const name = textOf(tool['name']);
      names.set(nameOfTool(namespace, name), { namespace, name });
    }
  }
  return names;
}

/** @throws RequestShapeError */
export function readTools(places: readonly Place[], unread: Unread): readonly Tool[] {
  return places.flatMap((place) => {
    if (place.fields['type'] !== 'namespace') return [readTool(place, undefined, unread)];
    noteUnread(place, groupMembers, unread);
    const group = requiredName(place);
    return (optionalObjects(place, 'tools') ?? []).map((tool) => readTool(tool, group, unread));
  });
}

const groupMembers: ReadonlySet<string> = new Set(['type', 'name', 'tools']);
const customMembers: ReadonlySet<string> = new Set(['type', 'name', 'description', 'format']);
const functionMembers: ReadonlySet<string> = new Set(['type', 'name', 'description', 'parameters', 'strict']);

function readTool(place: Place, group: string | undefined, unread: Unread): Tool {
  const type = requiredString(place, 'type');
  if (type !== 'function' && type !== 'custom') {
    return { kind: 'builtin', dialect: dialectName, type, value: place.fields };
  }
  noteUnread(place, type === 'custom' ? customMembers : functionMembers, unread);
  const name = nameOfTool(group, requiredName(place));
  const description = optionalString(place, 'description');
  const about = { name, ...(description !== undefined && { description }) };
  if (type === 'custom') {
    const format = optionalObject(place, 'format')?.fields;
    return { kind: 'custom', ...about, ...(format !== undefined && { format }) };
  }
  const parameters = optionalObject(place, 'parameters')?.fields;
  const strict = optionalBoolean(place, 'strict');
  return {
    kind: 'function',
    ...about,
    ...(parameters !== undefined && { parameters }),
    ...(strict !== undefined && { strict }),
  };
}

function requiredName(place: Place): string {
  const name = requiredString(place, 'name');
  if (name === '') throw new RequestShapeError(pathOf(place, 'name'), 'must not be empty');
  return name;
}

/** undefined: none is made, or one of a tool that only this API has. @throws RequestShapeError */
export function readToolChoice(request: Place): ToolChoice | undefined {
  const choice = request.fields['tool_choice'] ?? undefined;
  if (choice === undefined) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { kind: choice };
  if (!isObject(choice)) {
    throw new RequestShapeError('tool_choice', 'must be auto, none, required or an object');
  }
  const place = { fields: choice, path: 'tool_choice' };
  const type = requiredString(place, 'type');
  if (type === 'function' || type === 'custom') return { kind: 'tool', name: chosenName(place) };
  if (type !== 'allowed_tools') return undefined;
  const mode = optionalString(place, 'mode') ?? 'auto';
  if (mode !== 'auto' && mode !== 'required') {
    throw new RequestShapeError('tool_choice.mode', 'must be auto or required');
  }
  const tools = optionalObjects(place, 'tools');
  if (tools === undefined) throw new RequestShapeError('tool_choice.tools', 'is required');
  const names = tools.filter(({ fields }) => isNamed(fields)).map(chosenName);
  return { kind: 'allowed', names, required: mode === 'required' };
}

/** True for a choice that no other API can say. */
export function isBuiltinChoice(choice: unknown): boolean {
  return isObject(choice) && !isNamed(choice) && choice['type'] !== 'allowed_tools';
}

function isNamed({ type }: JsonObject): boolean {
  return type === 'function' || type === 'custom';
}

function chosenName(place: Place): string {
  return nameOfTool(optionalString(place, 'namespace'), requiredName(place));
}

/** Both members, as far as the request has them. */
export function writeTools(request: ChatRequest, { onDropped }: WriteTarget): JsonObject {
  const tools = (request.tools ?? []).flatMap((tool) => {
    if (tool.kind !== 'builtin' || tool.dialect === dialectName) return [writeTool(tool, request)];
    onDropped(`tools[].${tool.type}`);
    return [];
  });
  const choice = request.toolChoice;
  return {
    ...(tools.length > 0 && { tools }),
    ...(choice !== undefined && { tool_choice: writeToolChoice(choice, request) }),
  };
}

function writeTool(tool: Tool, { dialect }: ChatRequest): JsonObject {
  if (tool.kind === 'builtin') return tool.value;
  const { name, description } = tool;
  const about = { name, ...(description !== undefined && { description }) };
  if (tool.kind === 'custom') {
    const grammar = grammarOf(tool.format);
    const format = grammar === undefined ? tool.format : { type: 'grammar', ...grammar };
    return { type: 'custom', ...about, ...(format !== undefined && { format }) };
  }
  // Unsaid means strict here and not strict in the other APIs.
  const strict = tool.strict ?? (dialect === dialectName ? undefined : false);
  return {
    type: 'function',
    ...about,
    ...(tool.parameters !== undefined && { parameters: tool.parameters }),
    ...(strict !== undefined && { strict }),
  };
}

function writeToolChoice(choice: ToolChoice, request: ChatRequest): unknown {
  if (choice.kind === 'tool') return reference(choice.name, request);
  if (choice.kind !== 'allowed') return choice.kind;
  const tools = choice.names.map((name) => reference(name, request));
  return { type: 'allowed_tools', mode: choice.required ? 'required' : 'auto', tools };
}

function reference(name: string, { tools = [] }: ChatRequest): JsonObject {
  const isCustom = tools.some((tool) => tool.kind === 'custom' && tool.name === name);
  return { type: isCustom ? 'custom' : 'function', name };
}
