import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pauseImage } from '../cluster/node-addresses.ts';
import { ensureLlama } from '../llama/ensure-llama.ts';
import { MissingPart } from '../missing-part.ts';
import { buildLayer, type LayerEntry } from './build-layer.ts';
import { bundleProgram } from './bundle-program.ts';
import { baseLayer, nodeConfig, nodeLayer } from './node-layers.ts';
import { buildPauseImage } from './pause-image.ts';
import { sharedLibraries } from './shared-libraries.ts';
import type { Image } from './write-archive.ts';

const root = join(import.meta.dirname, '..', '..');

/** Every image, by the name of its archive. All but Belay's own are for tests and the demo. */
export const imageNames = {
  belay: 'ghcr.io/belay-dev/belay:0.1.0',
  llama: 'belay.dev/llama-server:test',
  application: 'belay.dev/application:test',
  'stand-in': 'belay.dev/stand-in:test',
  pause: pauseImage,
} as const;
export type ImageName = keyof typeof imageNames;

/** Puts one image together. Throws a `MissingPart` where this machine lacks what goes into it. */
export async function buildImage(image: ImageName, log: (line: string) => void): Promise<Image> {
  if (process.platform !== 'linux') throw new MissingPart('Images are made from the programs of a Linux machine: build them with the Dockerfile here.');
  const name = imageNames[image];
  switch (image) {
    case 'belay': return nodeImage(name, belayPrograms());
    case 'application': return nodeImage(name, [{ type: 'file', path: 'app/application.mjs', content: await bundleProgram('test/programs/application.ts') }]);
    case 'stand-in': return nodeImage(name, [{ type: 'file', path: 'app/stand-in.mjs', content: await bundleProgram('test/programs/stand-in-provider.ts') }]);
    case 'llama': return llamaImage(name, log);
    case 'pause': return buildPauseImage(log);
  }
}

function nodeImage(name: string, programs: readonly LayerEntry[]): Image {
  return { name, layers: [baseLayer(), nodeLayer(), buildLayer(programs)], config: nodeConfig };
}

/** What `npm run build` bundles for the image. */
function belayPrograms(): readonly LayerEntry[] {
  return ['sidecar.mjs', 'operator.mjs'].map((program) => {
    const file = join(root, 'dist', 'image', program);
    if (!existsSync(file)) throw new Error(`there is no ${file}: run npm run build first`);
    return { type: 'file', path: `app/${program}`, content: readFileSync(file) };
  });
}

/** llama.cpp's server, called as upstream's image is: arguments are the server's, it listens on all addresses. */
async function llamaImage(name: string, log: (line: string) => void): Promise<Image> {
  const llama = await ensureLlama({ log });
  if ('missing' in llama) throw new MissingPart(llama.missing);
  const program: LayerEntry = { type: 'copy', path: 'app/llama-server', from: llama.server, executable: true };
  return {
    name, layers: [baseLayer(), buildLayer([program, ...sharedLibraries(llama.server, { folder: dirname(llama.server), target: 'app' })])],
    config: { Entrypoint: ['/app/llama-server'], WorkingDir: '/app', Env: ['LLAMA_ARG_HOST=0.0.0.0'] },
  };
}
