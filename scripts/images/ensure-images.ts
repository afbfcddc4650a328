import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pruneLayers } from './build-layer.ts';
import { buildImage, imageNames, type ImageName } from './images.ts';
import { writeArchive } from './write-archive.ts';

/** Where archives are when nobody says otherwise: in this clone, for each has its own programs. */
export const imagesFolder = join(import.meta.dirname, '..', '..', '.cache', 'images');

export interface ImagesOptions {
  /** All by default. */
  readonly names?: readonly ImageName[] | undefined;
  readonly folder?: string;
  readonly log?: (line: string) => void;
}

/** Path of the archive of one image, as `ensureImages` writes it. */
export function imageArchive(name: ImageName, folder = imagesFolder): string {
  return join(folder, `${name}.tar`);
}

/** Builds images into archives, and says a line of each: name, digest, bytes, seconds. */
export async function ensureImages({ names = Object.keys(imageNames) as ImageName[], folder = imagesFolder, log = () => {} }: ImagesOptions = {}): Promise<void> {
  for (const name of names) {
    const started = Date.now();
    const archive = imageArchive(name, folder);
    const [written] = writeArchive(archive, [await buildImage(name, log)]);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    log(`${imageNames[name]}  ${written?.digest}  ${statSync(archive).size} bytes  ${seconds} s`);
  }
  pruneLayers();
}
