import { spawnSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkSteps } from '../../scripts/check-steps.ts';

export const repository = dirname(dirname(import.meta.dirname));
const packages = ['contract', 'operator', 'sidecar', 'cli'];
const settings = [
  'package.json', 'tsconfig.json', 'tsconfig.base.json', 'eslint.config.js', '.dependency-cruiser.mjs', 'knip.json',
  'contract/package.json', 'contract/tsconfig.json', 'operator/package.json', 'operator/core/tsconfig.json', 'operator/shell/tsconfig.json',
  'sidecar/package.json', 'sidecar/core/tsconfig.json', 'sidecar/dialects/tsconfig.json', 'sidecar/shell/tsconfig.json',
  'cli/package.json', 'cli/tsconfig.json', 'test/tsconfig.json',
];

export interface PlantedTree {
  /** Runs a step of `npm run check` in the tree, with arguments added or some of its own taken away. */
  run(step: string, change?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }): string;
  close(): void;
}

/**
 * The settings of this repository in a folder of their own, with nothing but these files in it: a tool that is run
 * there finds what was planted. Packages find each other in the tree, and everything else in the repository.
 */
export function createPlantedTree(files: Readonly<Record<string, string>>): PlantedTree {
  // The real path: tools print that, and compare it with the folder that they were started in.
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'belay-house-')));
  for (const name of settings) cpSync(join(repository, name), join(root, name));
  for (const folder of ['contract', 'operator', 'sidecar', 'cli', 'test', 'scripts']) mkdirSync(join(root, folder), { recursive: true });
  linkPackages(root);
  for (const [name, text] of Object.entries(files)) plant(root, name, text);
  return {
    run(step, { add = [], drop = [] } = {}) {
      const found = checkSteps.find(({ name }) => name === step);
      if (found === undefined) throw new Error(`npm run check has no step ${step}`);
      const args = found.args.filter((arg) => !drop.includes(arg));
      const { stdout, stderr, error } = spawnSync(process.execPath, [...args, ...add], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
      if (error !== undefined) throw error;
      if (stdout === '') throw new Error(`${step} printed nothing: ${stderr}`);
      return stdout;
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Never through a link: what is planted takes the place of a package's file in the tree alone. */
function plant(root: string, name: string, text: string): void {
  const parts = name.split('/');
  for (let depth = 1; depth < parts.length; depth++) {
    const folder = join(root, ...parts.slice(0, depth));
    if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink() === true) unfoldLink(folder);
    mkdirSync(folder, { recursive: true });
  }
  rmSync(join(root, name), { force: true });
  writeFileSync(join(root, name), text);
}

/** A folder in place of the link to one, with a link for everything in it. */
function unfoldLink(folder: string): void {
  const real = realpathSync(folder);
  rmSync(folder);
  mkdirSync(folder);
  for (const name of readdirSync(real)) symlinkSync(join(real, name), join(folder, name));
}

function linkPackages(root: string): void {
  const shared = join(repository, 'node_modules');
  mkdirSync(join(root, 'node_modules', '@belay'), { recursive: true });
  for (const name of readdirSync(shared)) {
    if (name !== '@belay' && name !== '.bin') symlinkSync(realpathSync(join(shared, name)), join(root, 'node_modules', name));
  }
  for (const name of packages) symlinkSync(join(root, name), join(root, 'node_modules', '@belay', name));
}
