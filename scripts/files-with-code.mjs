import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/** Paths of the TypeScript files below these folders that are more than types, tests left out: what can be run, and so covered. */
export function filesWithCode(folders) {
  return folders
    .flatMap((folder) => globSync(`${folder}/**/*.ts`))
    .filter((file) => !file.endsWith('.test.ts') && !file.includes('/.types/') && !file.includes('/node_modules/') && hasCode(readFileSync(file, 'utf8')))
    .sort();
}

function hasCode(source) {
  const code = stripTypeScriptTypes(source, { mode: 'strip' }).replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '').replaceAll(/^(import|export \*) [^;]*;|^export \{\s*\};?/gm, '');
  return code.trim() !== '';
}
