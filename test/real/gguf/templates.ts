/** The toy models' chat formats, in Jinja, as llama.cpp reads them out of a model file. */
import { marks } from './vocabulary.ts';

export type TemplateName = 'chat' | 'think';

const { turnStart, turnEnd, callStart, callEnd, thinkStart, thinkEnd, toolsOffered } = marks;

/** A call as the model writes it and as the template repeats it. */
const call = (name: string, parameters: string) =>
  `${callStart}{"name": "' + ${name} + '", "arguments": ' + ${parameters} + '}${callEnd}`;

const head = `{%- if tools -%}
{{- '${turnStart}system\\n' -}}
{%- if messages[0].role == 'system' -%}{{- messages[0].content + '\\n\\n' -}}{%- endif -%}
{{- 'Functions that can be called:\\n<tools>' -}}
{%- for tool in tools -%}{{- '\\n' -}}{{- tool | tojson -}}{%- endfor -%}
{{- '\\n</tools>\\nA call looks like this: ${callStart}{"name": NAME, "arguments": OBJECT}${callEnd}${turnEnd}\\n' -}}
{%- elif messages[0].role == 'system' -%}
{{- '${turnStart}system\\n' + messages[0].content + '${turnEnd}\\n' -}}
{%- endif -%}`;

const turns = (thinks: boolean) => `{%- for message in messages -%}
{%- if message.role == 'user' or (message.role == 'system' and not loop.first) -%}
{{- '${turnStart}' + message.role + '\\n' + message.content + '${turnEnd}\\n' -}}
{%- elif message.role == 'tool' -%}
{{- '${turnStart}user\\n<tool_response>\\n' + message.content + '\\n</tool_response>${turnEnd}\\n' -}}
{%- elif message.role == 'assistant' -%}
{{- '${turnStart}assistant\\n' -}}
${thinks ? `{%- if message.reasoning_content -%}{{- '${thinkStart}' + message.reasoning_content + '${thinkEnd}' -}}{%- endif -%}` : ''}
{%- if message.content -%}{{- message.content -}}{%- endif -%}
{%- for tool_call in message.tool_calls or [] -%}
{%- set called = tool_call.function or tool_call -%}
{%- set parameters = called.arguments if called.arguments is string else (called.arguments | tojson) -%}
{{- '${call('called.name', 'parameters')}' -}}
{%- endfor -%}
{{- '${turnEnd}\\n' -}}
{%- endif -%}
{%- endfor -%}`;

const opening: Readonly<Record<TemplateName, string>> = {
  chat: `{%- if tools and messages[-1].role != 'tool' -%}{{- '${toolsOffered}' -}}{%- endif -%}`,
  think: `{{- '${thinkStart}${thinkEnd}' if enable_thinking is defined and not enable_thinking else '${thinkStart}' -}}`,
};

export function chatTemplate(name: TemplateName): string {
  const generation = `{{- '${turnStart}assistant\\n' -}}\n${opening[name]}`;
  return `${head}\n${turns(name === 'think')}\n{%- if add_generation_prompt -%}\n${generation}\n{%- endif -%}`;
}
