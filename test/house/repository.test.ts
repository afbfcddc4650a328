import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { repository } from './planted-tree.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const dependenciesOf = (name: string): readonly string[] => Object.keys((JSON.parse(read(`${name}/package.json`)) as { readonly dependencies?: object }).dependencies ?? {});
const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: repository, encoding: 'utf8' }).split('\0').filter((path) => path !== '');

describe('the repository', () => {
  test('is under the Apache License 2.0, in every package', () => {
    expect(read('LICENSE')).toMatch(/^\s*Apache License\n\s*Version 2\.0, January 2004/);
    for (const name of ['.', 'contract', 'operator', 'sidecar', 'cli']) {
      expect(JSON.parse(read(`${name}/package.json`))).toMatchObject({ license: 'Apache-2.0' });
    }
  });

  test.each([...new Set(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...files.filter((path) => path.endsWith('.md'))])])('has a %s whose links lead somewhere', (name) => {
    const links = [...read(name).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? '').filter((target) => !/^[a-z]+:/.test(target)).map((target) => join(dirname(name), target));
    expect(links.filter((target) => !files.some((path) => path === target || path.startsWith(target.endsWith('/') ? target : `${target}/`)))).toEqual([]);
  });

  test('shows manifests in its README that are those of its examples', () => {
    const examples = files.filter((path) => path.startsWith('examples/')).map(read);
    const shown = [...read('README.md').matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text ?? '');
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.filter((text) => !examples.some((example) => example.includes(text)))).toEqual([]);
  });

  test('gives a sidecar few packages, and these', () => {
    expect(dependenciesOf('sidecar')).toEqual(['@belay/contract', 'eventsource-parser', 'prom-client']);
  });

  test('pins every package to one version', () => {
    const ranges = ['.', 'contract', 'operator', 'sidecar', 'cli'].flatMap((name) => {
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = JSON.parse(read(`${name}/package.json`)) as Record<string, Record<string, string>>;
      return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    });
    expect(ranges).toEqual([]);
  });

  test('says why each package is there that a program needs to run', () => {
    const decision = read('docs/decisions/2026-11-25-runtime-dependencies.md');
    const packages = ['contract', 'operator', 'sidecar', 'cli'].flatMap(dependenciesOf).filter((name) => !name.startsWith('@belay/'));
    expect(packages.filter((name) => !decision.includes(`\`${name}\``))).toEqual([]);
  });
});

// Put together from parts, or this file would be the one that it finds.
const hosts = [['registry', 'npmjs'], ['registry', 'yarnpkg'], ['pypi'], ['files', 'pythonhosted'], ['proxy', 'golang'], ['sum', 'golang'], ['deb', 'debian'], ['crates'], ['static', 'crates'], ['repo', 'maven'], ['repo1', 'maven']]
  .map((parts) => new RegExp(`\\b${parts.join('\\.')}\\.(org|com|io|apache\\.org)\\b`, 'i'));
const unwanted: readonly (readonly [string, readonly RegExp[]])[] = [
  ['the host of a package registry', hosts],
  ["somebody's home, or a folder of one machine", [new RegExp(`(?<![\\w.$}~])/${'root'}/`), new RegExp(`(?<![\\w.$}~])/${'home'}/(?!app/)\\w`), new RegExp(`(?<![\\w.])/${'Users'}/\\w`), new RegExp(`(?<![\\w.$}~/])/${'work'}/\\w`), new RegExp(`(?<![\\w.$}~/])/${'tmp'}/\\w`)]],
  ['how it was written', [new RegExp(`\\b${'issue'}s? ?#?\\d`, 'i'), new RegExp(`\\b${'Claude'} Code\\b`, 'i'), new RegExp(`${'Co-Authored'}-By`, 'i'), new RegExp(`\\b(generated|written) (by|with) (an? )?(${'AI'}|LLM|assistant)\\b`, 'i'), new RegExp(`\\b${'sub-?agents?'}\\b`, 'i')]],
];

describe('no file of the repository names', () => {
  const texts = files.filter((path) => path !== 'package-lock.json' && !path.endsWith('go.sum')).map((path) => [path, read(path)] as const);

  test.each(unwanted)('%s', (_what, patterns) => {
    const found = texts.flatMap(([path, text]) => text.split('\n').flatMap((line, index) => (patterns.some((pattern) => pattern.test(line)) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])));
    expect(found).toEqual([]);
  });

  test('the address of a registry in its lock file', () => {
    expect(read('package-lock.json')).not.toContain('"resolved": "http');
  });

  test('what these patterns would not see', () => {
    const samples = [['https://', 'registry.', 'npmjs.org/x'], ['files.', 'pythonhosted.org'], ['cd /', 'root/x'], ["'/", "work/main'"], ['(/', 'tmp/x)'], ['see iss', 'ue 7'], ['iss', 'ue #12']].map((parts) => parts.join(''));
    expect(samples.filter((sample) => !unwanted.some(([, patterns]) => patterns.some((pattern) => pattern.test(sample))))).toEqual([]);
  });
});
