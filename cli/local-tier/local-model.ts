import { isAbsolute, relative, resolve, sep } from 'node:path';
import { parsed, refused, type Parsed } from '@belay/contract';

/** What one `spec.local` of a ModelProvider asks for, as this machine needs it. */
export interface LocalModel {
  /** The ModelProvider's name in the table; what stands behind `local:` in its address. */
  readonly name: string;
  /** `spec.local.model.persistentVolumeClaim.path`: below `--model-dir`. */
  readonly path: string;
  /** Tokens of one request: prompt and answer together. */
  readonly contextTokens: number;
  /** Slots: requests that run at once. */
  readonly parallel: number;
}

/** The model's file; refused where `path` leaves the directory. Says nothing about whether the file is there. */
export function parseModelFile(modelDir: string, path: string): Parsed<string> {
  const root = resolve(modelDir);
  const file = resolve(root, path.replace(/^\/+/, ''));
  const below = relative(root, file);
  if (below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
    return refused('spec.local.model.persistentVolumeClaim.path', `must be a file below --model-dir, not ${JSON.stringify(path)}`);
  }
  return parsed(file);
}

/**
 * llama-server's arguments. `-c` is what all slots share, so it is contextTokens × parallel. One thread less than there
 * are cores: with every core taken the server gets slower, not faster. The alias is the model that served, by its file.
 */
export function llamaArguments({ contextTokens, parallel }: LocalModel, file: string, port: number, cores: number): readonly string[] {
  return [
    '--model', file, '--alias', modelAlias(file),
    '--host', '127.0.0.1', '--port', String(port),
    '--ctx-size', String(contextTokens * parallel), '--parallel', String(parallel),
    '--threads', String(Math.max(1, cores - 1)),
    '--metrics', '--jinja', '--no-webui',
  ];
}

function modelAlias(file: string): string {
  return (file.split(sep).at(-1) ?? file).replace(/\.gguf$/i, '');
}
