import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parsed, refused, type Parsed } from '@belay/contract';
import { carrierFolder, llamaServerPackage } from './llama-package.ts';

/**
 * The llama-server to run: the one that BELAY_LLAMA_SERVER names and no other, else the first on PATH, else the one that
 * `npm run setup` fetched. Refused with one sentence on how to get it.
 */
export function findLlamaServer(env: NodeJS.ProcessEnv, isExecutable: (file: string) => boolean = isExecutableFile): Parsed<string> {
  const named = env['BELAY_LLAMA_SERVER'];
  if (named !== undefined && named !== '') {
    return isExecutable(named) ? parsed(named) : refused('', `BELAY_LLAMA_SERVER names ${named}, which is no program: set it to a llama-server of llama.cpp`);
  }
  const places = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '').map((folder) => join(folder, 'llama-server'));
  const found = [...places, join(carrierFolder(llamaServerPackage, env), llamaServerPackage.file)].find(isExecutable);
  return found === undefined
    ? refused('', 'no llama-server was found: install llama.cpp so that llama-server is on PATH, set BELAY_LLAMA_SERVER to it, or fetch one with "npm run setup"')
    : parsed(found);
}

function isExecutableFile(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
