// `npm run images [-- --out DIR] [NAME…]`: every image as an archive DIR/NAME.tar, without a container tool.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureImages, imagesFolder } from './images/ensure-images.ts';
import { imageNames, type ImageName } from './images/images.ts';
import { MissingPart, missingPartExitCode } from './missing-part.ts';

const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true });
const unknown = positionals.filter((name) => !(name in imageNames));
if (unknown.length > 0) {
  console.error(`There is no image ${unknown.join(', ')}: ${Object.keys(imageNames).join(', ')} are the images, and all of them the default.`);
  process.exit(2);
}
try {
  await ensureImages({
    names: positionals.length > 0 ? (positionals as ImageName[]) : undefined,
    folder: values.out === undefined ? imagesFolder : resolve(values.out), log: console.log,
  });
} catch (error) {
  console.error((error as Error).message);
  process.exit(error instanceof MissingPart ? missingPartExitCode : 1);
}
