import { join } from 'node:path';
import { belayCache } from '../belay-cache.ts';
import { pauseImage } from '../cluster/node-addresses.ts';
import { ensureGoProgram } from '../kubernetes/build-go-program.ts';
import { buildLayer } from './build-layer.ts';
import type { Image } from './write-archive.ts';

/** The image of every pod's sandbox, for a containerd that cannot pull upstream's. */
export async function buildPauseImage(log: (line: string) => void): Promise<Image> {
  const program = await ensureGoProgram({
    name: 'pause', source: join(import.meta.dirname, '..', 'kubernetes', 'pause'), files: ['go.mod', 'main.go'], folder: belayCache('pause'),
    linkerFlags: ['-s', '-w'], announcement: 'Building the pause program …',
  }, log);
  return {
    name: pauseImage,
    layers: [buildLayer([{ type: 'copy', path: 'pause', from: program, executable: true }])],
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
  };
}
