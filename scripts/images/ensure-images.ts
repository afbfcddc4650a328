import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pruneLayers } from './build-layer.ts';
import { buildImage, imageNames, type ImageName } from './images.ts';
import { writeArchive, type Image } from './write-archive.ts';

/** Where archives are when nobody says otherwise: in this clone, for each has its own programs. */
export const imagesFolder = join(import.meta.dirname, '..', '..', '.cache', 'images');

export interface ImagesOptions {
  /** All by default. */
  readonly names?: readonly ImageName[] | undefined;
  readonly folder?: string;
  /** One archive of all, in which the layers that they share are once: half the size, and loaded in half the time. */
  readonly together?: boolean;
  readonly log?: (line: string) => void;
}

/** The archive of all images together, as `ensureImages({ together: true })` writes it. */
export const allImages = join(imagesFolder, 'all.tar');

/** Builds images, each into the archive NAME.tar or all into all.tar, and says of each image its digest, of each archive its bytes and seconds. */
export async function ensureImages({ names = Object.keys(imageNames) as ImageName[], folder = imagesFolder, together = false, log = () => {} }: ImagesOptions = {}): Promise<void> {
  const archives = together ? [{ file: 'all.tar', contents: names }] : names.map((name) => ({ file: `${name}.tar`, contents: [name] }));
  for (const { file, contents } of archives) {
    const started = Date.now();
    const images: Image[] = [];
    for (const name of contents) images.push(await buildImage(name, log));
    const written = writeArchive(join(folder, file), images);
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    for (const { name, digest } of written) log(`${name}  ${digest}`);
    log(`${file}  ${statSync(join(folder, file)).size} bytes  ${seconds} s`);
  }
  pruneLayers();
}
