import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { find, renderChart, repository, type Deployment } from './render-chart.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const own = lines.filter((line) => line.startsWith('COPY ') && !line.includes('--from=')).flatMap((line) => line.split(' ').slice(1, -1));

  test('copies what there is, and what the build may see', () => {
    expect(own.filter((path) => !existsSync(join(repository, path)))).toEqual([]);
    const seen = new Set(read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1)));
    expect(own.filter((path) => path !== '.' && !seen.has(path.split('/')[0] ?? ''))).toEqual([]);
  });

  test('installs every workspace', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { readonly workspaces: readonly string[] };
    expect(workspaces.filter((name) => !own.includes(`${name}/package.json`))).toEqual([]);
  });

  test('ends as what the chart and injection start: Node, as a number that is not root', () => {
    expect(lines.filter((line) => /^(USER|ENTRYPOINT) /.test(line))).toEqual(['USER 65532:65532', 'ENTRYPOINT ["/nodejs/bin/node"]']);
    expect(lines).toContain('COPY --from=build /source/dist/image/operator.mjs /source/dist/image/sidecar.mjs /source/LICENSE /app/');
    expect(lines.at(-5)).toBe('FROM gcr.io/distroless/nodejs24-debian13:nonroot');
  });

  test('lets the build see no folder of tests, designs or caches', () => {
    const seen = read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    expect(seen.filter((path) => ['test', 'bench', 'docs', 'charts', 'node_modules'].includes(path))).toEqual([]);
    expect(seen.filter((path) => existsSync(join(repository, path)) && statSync(join(repository, path)).isDirectory()).sort()).toEqual(['cli', 'contract', 'crds', 'operator', 'scripts', 'sidecar']);
  });
});

describe('skaffold.yaml', () => {
  interface Release {
    readonly name: string;
    readonly chartPath: string;
    readonly namespace: string;
    readonly setValues?: Readonly<Record<string, unknown>>;
    readonly setValueTemplates: Readonly<Record<string, string>>;
  }
  interface Skaffold {
    readonly build: { readonly artifacts: readonly { readonly image: string }[] };
    readonly deploy: { readonly helm: { readonly releases: readonly [Release] } };
    readonly profiles: readonly { readonly name: string; readonly patches: readonly { readonly op: string; readonly path: string; readonly value: unknown }[] }[];
  }
  const skaffold = parse(read('skaffold.yaml')) as Skaffold;
  const [release] = skaffold.deploy.helm.releases;

  test.each(['dev', 'ci'])('profile %s gives the chart values that it takes, and the image that was built', async (profile) => {
    const patches = skaffold.profiles.find(({ name }) => name === profile)?.patches ?? [];
    const values = patches.find(({ path }) => path === '/deploy/helm/releases/0/setValues')?.value as Readonly<Record<string, unknown>>;
    // As Skaffold names an image in templates: whatever is no letter or digit becomes _.
    const name = skaffold.build.artifacts[0]?.image.replaceAll(/[^A-Za-z0-9]/g, '_');
    const known: Readonly<Record<string, string>> = { [`IMAGE_REPO_${name}`]: 'ghcr.io/belay-dev/belay', [`IMAGE_TAG_${name}`]: 'f00d' };
    const filled = Object.entries(release.setValueTemplates).map(([key, template]) => [key, template.replaceAll(/\{\{\.(\w+)\}\}/g, (_, variable: string) => known[variable] ?? 'MISSING!')]);
    const args = [...Object.entries(values), ...filled].flatMap(([key, value]) => ['--set', `${String(key)}=${String(value)}`]);
    const objects = await renderChart({ release: release.name, namespace: release.namespace, args });
    expect(find<Deployment>(objects, 'Deployment', 'belay').spec.template.spec.containers[0]?.image).toBe('ghcr.io/belay-dev/belay:f00d');
    expect(release.chartPath).toBe('charts/belay');
  });
});
