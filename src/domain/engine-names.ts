/** The kinds of inference server that the router knows by name. */

export const engineNames = ['llamacpp', 'ollama', 'vllm', 'sglang', 'lmstudio', 'openai'] as const;

export type EngineName = (typeof engineNames)[number];
