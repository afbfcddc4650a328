// `npm run demo [-- --once]`: providers that misbehave on a script, a real llama.cpp, and Belay between them and the OpenAI SDK.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { applicationPort } from '@belay/contract';
import { startBelay, type BelayProcess } from '../test/support/belay-process.ts';
import { createStandIn } from '../test/support/stand-in.ts';
import { demoManifests, localModelFile, localTarget } from './demo/demo-manifests.ts';
import { behave, playScene, type Stage } from './demo/play-scene.ts';
import { demoLocalKey } from './demo/predicted-tokens.ts';
import { atRest, cloudScenes, localScenes, realScene, type Scene } from './demo/scenes.ts';
import { createScreen } from './demo/screen.ts';
import { ensureLlama } from './llama/ensure-llama.ts';

const once = process.argv.includes('--once');
const screen = createScreen(process.stdout);
const dim = (text: string): string => styleText('dim', text);
const modelDir = join(mkdtempSync(join(tmpdir(), 'belay-demo-')), 'models');
mkdirSync(modelDir);
const modelFile = localModelFile(process.env);
const failed: string[] = [];
let answered = false;

process.on('exit', () => rmSync(join(modelDir, '..'), { recursive: true, force: true }));
process.exitCode = await main();

async function main(): Promise<number> {
  screen.say(`\n${styleText('bold', 'Belay')} ${dim('keeps one model name answering while providers fail.')}`);
  const llama = bringLlama();
  const stage = await raiseStage();
  process.on('SIGINT', () => void strike(stage).then(() => process.exit(once ? 130 : 0)));
  try {
    await play(stage, 'Sequential', 'chat: one target after the other, one second to first content', cloudScenes.filter(({ chain }) => chain === 'chat'));
    await play(stage, 'Race', 'chat-race: the next target starts at half of that second, before the first has failed', cloudScenes.filter(({ chain }) => chain === 'chat-race'));
    await playLocal(stage, await llama);
    if (process.env['OPENAI_API_KEY'] !== undefined) await play(stage, 'OPENAI_API_KEY is set', 'openai-first: the real provider, and the same chain behind it', [realScene]);
    return await end(stage);
  } finally {
    if (once) await strike(stage);
  }
}

/** Puts llama-server and the model where Belay looks for them, while requests are already being answered. null: there; else why not. */
async function bringLlama(): Promise<string | null> {
  const llama = await ensureLlama({ log: (line) => screen.say(dim(`   set-up: ${line}`)) });
  if ('missing' in llama) return llama.missing;
  symlinkSync(join(llama.modelDir, llama.modelFile), join(modelDir, modelFile));
  return null;
}

async function raiseStage(): Promise<Stage> {
  const [east, west] = await Promise.all([createStandIn({ name: 'East', model: 'aurora-large', script: [] }), createStandIn({ name: 'West', model: 'dusk-large', script: [] })]);
  const manifests = demoManifests({ eastOrigin: east.origin, westOrigin: west.origin, modelFile, realProvider: process.env['OPENAI_API_KEY'] !== undefined });
  const belay = await startAt(manifests, once ? [0] : [applicationPort, 0]);
  screen.say(`\n${dim('belay run -f')} ${belay.folder}`);
  for (const [file, text] of Object.entries(manifests)) screen.file(file, text);
  screen.say(`\nserves ${styleText('bold', belay.baseUrl)}. East and West are stand-ins on this machine that misbehave on a script; requests are sent with the openai package.`);
  return { east, west, belay };
}

/** The first of these ports that is free. */
async function startAt(manifests: { readonly [file: string]: string }, [port = 0, ...others]: readonly number[]): Promise<BelayProcess> {
  try {
    return await startBelay({ manifests, port, args: ['--model-dir', modelDir], env: { LLAMA_API_KEY: demoLocalKey } });
  } catch (error) {
    if (others.length === 0) throw error;
    screen.say(dim(`   port ${port} is taken; another one is used`));
    return startAt(manifests, others);
  }
}

async function play(stage: Stage, heading: string, note: string, scenes: readonly Scene[]): Promise<void> {
  screen.heading(heading, note);
  for (const scene of scenes) {
    screen.asking(scene);
    const played = await playScene(stage, scene);
    screen.played(scene, played);
    if (!answered) screen.say(dim(`   the first answer came ${(performance.now() / 1_000).toFixed(1)} s after the demo began; no model was needed for it`));
    answered = true;
    if (played.complaint !== null) failed.push(`${heading}, “${scene.title}”: ${played.complaint}`);
  }
}

async function playLocal(stage: Stage, missing: string | null): Promise<void> {
  const note = `a real model, ${modelFile}, run by Belay with llama.cpp: the last target of both chains`;
  if (missing !== null) {
    screen.heading('No cloud answers', note);
    screen.say(styleText('red', ` ✖ not shown: ${missing}`));
    failed.push(`No cloud answers: ${missing}`);
    return;
  }
  await play(stage, 'No cloud answers', note, localScenes);
}

async function end(stage: Stage): Promise<number> {
  for (const complaint of failed) screen.say(styleText('red', `✖ ${complaint}`));
  if (failed.length === 0) screen.say(`\n${styleText('green', '✔')} every request ended where it should, ${(performance.now() / 1_000).toFixed(0)} s after the demo began`);
  if (once) return failed.length > 0 ? 1 : 0;
  await behave(stage.east, 'refuses');
  await behave(stage.west, atRest.west);
  const body = JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: 'Say hello.' }] });
  const curl = `curl -i ${stage.belay.baseUrl}/chat/completions -H 'content-type: application/json' -d '${body}'`;
  screen.say(`\nEast is down from here on. Try it; the x-belay- headers say what happened:\n\n  ${styleText('cyan', curl)}\n\n${dim(`or ask the local model alone: add  -H 'x-belay-targets: ${localTarget}'.  Ctrl-C ends it.`)}`);
  await stage.belay.exited;
  return 0;
}

async function strike({ east, west, belay }: Stage): Promise<void> {
  screen.close();
  await belay.close();
  await Promise.all([east.close(), west.close()]);
}
