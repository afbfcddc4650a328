import { styleText } from 'node:util';
import { hostVolume } from '../../test/cluster/stage/stage-manifests.ts';
import { installArguments, releaseNamespace } from '../../test/cluster/stage/belay-release.ts';
import { until, type Answer } from '../../test/cluster/stage/stage.ts';
import type { Screen } from '../demo/screen.ts';
import { demoNamespace, manifests } from './demo-names.ts';
import { describeAnswer } from './describe-answer.ts';
import { showManifests } from './show-manifests.ts';
import type { Terminal } from './terminal.ts';


export interface Acts {
  readonly screen: Screen;
  readonly terminal: Terminal;
  /** Notes that something was as expected, or that it was not. */
  check(what: string, isSo: boolean): void;
}

const inDemo = (...words: readonly string[]): readonly string[] => ['kubectl', '-n', demoNamespace, ...words];
const inApplication = (...args: readonly string[]): readonly string[] => inDemo('exec', 'deployment/shop', '-c', 'app', '--', '/nodejs/bin/node', ...args);
const question = inApplication('/app/application.mjs', 'ask', 'Say hello.');
const annotation = JSON.stringify({ spec: { template: { metadata: { annotations: { 'belay.dev/inject': 'true' } } } } });
const overloaded = JSON.stringify([{ status: 503, json: { error: { message: 'The model is overloaded.' } } }]);

export async function install({ screen, terminal, check }: Acts): Promise<void> {
  screen.heading('Install', 'the chart of this repository; the llama.cpp image is the one that was built here, in place of upstream’s');
  await terminal.type(['helm', 'install', ...installArguments], { show: () => '' });
  const pods = await terminal.type(['kubectl', '-n', releaseNamespace, 'get', 'pods']);
  check('the operator and two webhooks run', pods.split('\n').filter((line) => / 1\/1 +Running /.test(line)).length === 3);
}

export async function apply({ screen, terminal }: Acts): Promise<void> {
  screen.heading('Apply', 'a chain, its providers (two stand-ins that are pods, and llama.cpp with a small model), and an application');
  showManifests(screen);
  await terminal.type(['kubectl', 'create', 'namespace', demoNamespace]);
  // Pods are refused until the controllers have made it.
  await terminal.quietly(inDemo('wait', '--for=create', 'serviceaccount/default', '--timeout=60s'));
  if (!(await hasDefaultStorage(terminal))) {
    screen.say(styleText('dim', '\n   this cluster makes no volumes by itself: it is given one for the model, a folder of its node'));
    await terminal.quietly(['kubectl', 'apply', '-f', '-'], { input: JSON.stringify(hostVolume(demoNamespace)) });
  }
  await terminal.type(inDemo('apply', '-f', manifests));
  await terminal.type(inDemo('rollout', 'status', 'deployment/shop', '--timeout=90s'), { show: lastLine });
  await terminal.quietly(inDemo('rollout', 'status', 'deployment/east', 'deployment/west', '--timeout=90s'));
}

async function hasDefaultStorage(terminal: Terminal): Promise<boolean> {
  return (await terminal.quietly(['kubectl', 'get', 'storageclass', '--output', 'json'])).includes('"storageclass.kubernetes.io/is-default-class": "true"');
}

export async function inject({ screen, terminal, check }: Acts): Promise<void> {
  screen.heading('Annotate', 'one annotation on the pod template; image and environment of the application stay as they are');
  const looks = inDemo('get', 'pods', '-l', 'app=shop', '-o', 'custom-columns=POD:.metadata.name,CONTAINERS:.spec.containers[*].name,SIDECAR:.spec.initContainers[*].name');
  await terminal.type(looks);
  await terminal.type(inDemo('patch', 'deployment', 'shop', '--patch', annotation));
  await terminal.type(inDemo('rollout', 'status', 'deployment/shop', '--timeout=90s'), { show: lastLine });
  await terminal.quietly(inDemo('wait', '--for=delete', 'pod', '-l', 'app=shop,belay.dev/injected!=true', '--timeout=60s'));
  const pods = await terminal.type(inDemo('get', 'pods', '-l', 'app=shop'));
  check('the pod has its sidecar: 2/2', / 2\/2 +Running /.test(pods));
  check('it is named belay', /\bapp +belay *$/m.test(await terminal.type(looks)));
  const address = await terminal.type(inApplication('-p', 'process.env.OPENAI_BASE_URL'));
  check('the application is led to it', address.trim() === 'http://127.0.0.1:7411/v1');
}

export async function fallBack(acts: Acts): Promise<void> {
  const { screen, terminal } = acts;
  screen.heading('Ask', 'the application asks with the OpenAI SDK, as it always did');
  await terminal.quietly(inDemo('wait', '--for=condition=Programmed', 'fbchain/chat', '--timeout=60s'));
  await ask(acts, 'east');
  screen.heading('Break the first provider', 'nobody is behind its Service any more');
  await terminal.type(inDemo('scale', 'deployment', 'east', '--replicas=0'));
  await terminal.quietly(inDemo('wait', '--for=delete', 'pod', '-l', 'app=east', '--timeout=60s'));
  await ask(acts, 'west');
  screen.heading('Break the second one too', 'from here on it answers 503');
  await terminal.type(inDemo('wait', '--for=condition=Ready', 'mprov/on-cluster', '--timeout=120s'));
  await terminal.type(inDemo('set', 'env', 'deployment/west', `STAND_IN_SCRIPT=${overloaded}`));
  await terminal.type(inDemo('rollout', 'status', 'deployment/west', '--timeout=90s'), { show: lastLine });
  const answer = await ask(acts, 'on-cluster');
  const why = await terminal.type(['npx', 'belay', 'why', answer.headers['x-belay-request-id'] ?? '', '-n', demoNamespace]);
  acts.check('belay why tells where that request went', ['east', 'west', 'on-cluster'].every((name) => why.includes(name)));
}

export async function look(acts: Acts): Promise<void> {
  const { screen, terminal, check } = acts;
  screen.heading('Look', 'what somebody on call reads');
  const serving = await servedBy(acts, 'on-cluster', (said) => said.startsWith('on-cluster'));
  await terminal.type(inDemo('get', 'fbchain,mprov'));
  const events = await terminal.type(inDemo('events', '--for', 'fallbackchain/chat'));
  check('the status says who serves since when, and why not the first', /^on-cluster\b.*\(east: /.test(serving));
  check('an Event says FallbackActive', events.includes('FallbackActive'));
}

export async function operatorDies(acts: Acts): Promise<void> {
  const { screen, terminal, check } = acts;
  screen.heading('Delete the operator’s pod', 'requests do not pass through it: they go on');
  const ofRelease = (...words: readonly string[]): readonly string[] => ['kubectl', '-n', releaseNamespace, ...words];
  const [pod = ''] = (await terminal.quietly(ofRelease('get', 'pods', '-l', 'app.kubernetes.io/component=controller', '-o', 'name'))).trim().split('\n');
  await terminal.type(ofRelease('delete', pod, '--wait=false'));
  const startedMs = performance.now();
  let isBack = false;
  const back = (async () => {
    await terminal.quietly(ofRelease('wait', '--for=delete', pod, '--timeout=60s'));
    await terminal.quietly(ofRelease('rollout', 'status', 'deployment/belay', '--timeout=90s'));
  })().finally(() => { isBack = true; });
  const answers: Answer[] = [await ask(acts, 'east')];
  while (!isBack) answers.push(parseAnswer(await terminal.quietly(question)));
  await back;
  screen.say(styleText('dim', `\n   ${answers.length} requests until the old one was gone and a new one was ready: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`));
  check('every request was answered meanwhile', answers.every(({ status, text }) => status === 200 && text !== ''));
}

export async function mend(acts: Acts): Promise<void> {
  const { screen, terminal, check } = acts;
  screen.heading('Mend the first provider', 'it gets its traffic back by itself');
  await terminal.type(inDemo('scale', 'deployment', 'east', '--replicas=1'));
  await terminal.quietly(inDemo('rollout', 'status', 'deployment/east', '--timeout=90s'));
  const serving = await servedBy(acts, 'east alone', (said) => said === 'east');
  await ask(acts, 'east');
  await terminal.type(inDemo('get', 'fbchain'));
  const events = await terminal.type(inDemo('events', '--for', 'fallbackchain/chat'));
  check('the status says that the first one serves again', serving === 'east');
  check('an Event says FallbackCleared', events.includes('FallbackCleared'));
}

/** `status.serving`, once it says that; the application asks on meanwhile, for who serves is what requests show. Empty: it never did. */
async function servedBy({ screen, terminal }: Acts, whom: string, saysSo: (serving: string) => boolean): Promise<string> {
  const [startedMs, said] = [performance.now(), inDemo('get', 'fbchain', 'chat', '-o', 'jsonpath={.status.serving}')];
  let asked = 0;
  const serving = await until(`status.serving names ${whom}`, 90_000, async () => {
    await terminal.quietly(question);
    asked += 1;
    const text = await terminal.quietly(said);
    return saysSo(text) ? text : null;
  }).catch(() => '');
  screen.say(styleText('dim', `\n   the same ${asked} times more, until the status named ${whom}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`));
  return serving;
}

async function ask({ terminal, check }: Acts, expected: string): Promise<Answer> {
  const answer = parseAnswer(await terminal.type(question, { show: (output) => describeAnswer(parseAnswer(output)) }));
  check(`${expected} answers`, answer.status === 200 && answer.text !== '' && answer.headers['x-belay-target'] === expected);
  return answer;
}

function parseAnswer(output: string): Answer {
  return JSON.parse(output) as Answer;
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
