// The process behind load-manifests-apart.ts: a LoadRequest on standard input, LoadedManifests on standard output.
import { text } from 'node:stream/consumers';
import { loadManifests, type LoadRequest } from './load-manifests.ts';

const request = JSON.parse(await text(process.stdin)) as LoadRequest;
process.stdout.write(JSON.stringify(await loadManifests(request, process.env)));
