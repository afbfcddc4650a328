import type { Problem } from '@belay/contract';
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, type Alias, type Document, type ParsedNode, type Scalar, type YAMLError, type YAMLMap, type YAMLSeq } from 'yaml';
import type { TextPart } from './manifest-text.ts';
import { jsonFromScalar, keyFromScalar, plainScalar, taggedScalar, type ScalarValue } from './yaml-scalar.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Where a value stands in the text: offsets, and those of what is in it. */
export interface Mark {
  /** Of the value itself. */
  readonly at: number;
  /** Of the key that names it; equal to `at` for the root and for items of a list. */
  readonly keyAt: number;
  readonly children: ReadonlyMap<string | number, Mark>;
}

export interface TextFault {
  readonly offset: number;
  /** What is wrong and what would be right. */
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

export interface Tree {
  /** null for an empty document; also where a fault of severity `error` left nothing that can be used. */
  readonly value: Json;
  readonly mark: Mark;
  readonly faults: readonly TextFault[];
}

/** One document to JSON as sigs.k8s.io/yaml makes it, with the place of every value. `lineOf` counts lines for messages. */
export function readTree({ text, form }: Pick<TextPart, 'text' | 'form'>, lineOf: (offset: number) => number): Tree {
  const before = form === 'yaml' ? faultBeforeParsing(text) : null;
  if (before !== null) return { value: null, mark: leaf(0, 0), faults: [before] };
  const documents = parseAllDocuments<ParsedNode>(text, { schema: 'failsafe', version: '1.1', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const [document, second] = 'empty' in documents ? [] : documents;
  if (document === undefined) return { value: null, mark: leaf(0, 0), faults: [] };
  const error = document.errors[0];
  if (error !== undefined) return { value: null, mark: leaf(0, 0), faults: [faultFromError(error, text)] };
  const reading: Reading = { text, form, document, lineOf, faults: [], open: new Set(), visited: 0, visitedInAlias: 0, aliasDepth: 0 };
  const [value, mark] = readNode(reading, document.contents, 0);
  if (second !== undefined && second.contents !== null) {
    reading.faults.push({ offset: document.range[2], message: 'what follows ... is never applied; begin the next document with ---', severity: 'warning' });
  }
  return { value, mark, faults: reading.faults };
}

/** What libyaml refuses and the parser here lets pass. */
function faultBeforeParsing(text: string): TextFault | null {
  const control = text.search(controlCharacter);
  if (control !== -1) {
    return { offset: control, message: `not YAML: a control character (code ${text.charCodeAt(control)}) stands here; remove it, or write it as an escape in double quotes`, severity: 'error' };
  }
  const directive = /^(?:\s*#.*\n|\s*\n)*%/.exec(text);
  if (directive === null) return null;
  return { offset: directive[0].length - 1, message: 'kubectl takes no YAML directives; remove this line', severity: 'error' };
}

const controlCharacter = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;

interface Reading {
  readonly text: string;
  readonly form: 'yaml' | 'json';
  readonly document: Document.Parsed;
  readonly lineOf: (offset: number) => number;
  readonly faults: TextFault[];
  /** Anchored nodes being expanded, so that one that contains itself is seen. */
  readonly open: Set<unknown>;
  visited: number;
  visitedInAlias: number;
  aliasDepth: number;
}

type Read = readonly [value: Json, mark: Mark];
type Node = ParsedNode | null;

function leaf(at: number, keyAt: number): Mark {
  return { at, keyAt, children: new Map() };
}

function fault(reading: Reading, offset: number, message: string): void {
  reading.faults.push({ offset, message, severity: 'error' });
}

function readNode(reading: Reading, node: Node, keyAt: number): Read {
  if (node === null) return [null, leaf(keyAt, keyAt)];
  const at = node.range[0];
  if (tooMuch(reading)) {
    if (!reading.faults.some((one) => one.message === expansion)) fault(reading, at, expansion);
    return [null, leaf(at, keyAt)];
  }
  if (isAlias(node)) return readAlias(reading, node, keyAt);
  if (isMap(node)) return readMap(reading, node as YAMLMap<ParsedNode, Node>, keyAt, at);
  if (isSeq(node)) return readList(reading, node as YAMLSeq<ParsedNode>, keyAt, at);
  return [readJson(reading, node, at), leaf(at, keyAt)];
}

function readJson(reading: Reading, node: ParsedNode, at: number): Json {
  const scalar = jsonFromScalar(readScalar(reading, node));
  if (scalar.ok) return scalar.value;
  fault(reading, at, `${sentenceOf(scalar)}; quote it if text is meant`);
  return null;
}

function sentenceOf({ problems }: { readonly problems: readonly Problem[] }): string {
  return problems.map(({ message }) => message).join('; ');
}

/** Escapes of JSON that YAML 1.1 has not: `\/` and halves of a surrogate pair. */
const foreignEscape = /(?<!\\)(?:\\\\)*\\(?:\/|u[dD][89a-fA-F])/;

const expansion = 'aliases repeat too much of this document; write out what is meant';

/** go-yaml's guard against documents that grow by aliases: at most 99 % may come from them, 10 % of very large ones. */
function tooMuch(reading: Reading): boolean {
  reading.visited += 1;
  if (reading.aliasDepth > 0) reading.visitedInAlias += 1;
  if (reading.visitedInAlias <= 100 || reading.visited <= 1000) return false;
  const large = Math.min(1, Math.max(0, (reading.visited - 400_000) / 3_600_000));
  return reading.visitedInAlias / reading.visited > 0.99 - 0.89 * large;
}

function readScalar(reading: Reading, node: ParsedNode): ScalarValue {
  if (!isScalar(node)) return null;
  const text = textOf(node);
  const [at, end] = node.range;
  const escape = reading.form === 'yaml' && node.type === 'QUOTE_DOUBLE' ? reading.text.slice(at, end).search(foreignEscape) : -1;
  if (escape !== -1) fault(reading, at + escape, 'not YAML as kubectl reads it: write / without a backslash, and a character beyond U+FFFF as itself');
  if (node.tag === undefined) return node.type === 'PLAIN' ? plainScalar(text) : text;
  const value = taggedScalar(node.tag, text);
  if (value.ok) return value.value;
  fault(reading, at, `${sentenceOf(value)}; leave out the tag, or write a value of that type`);
  return null;
}

/** In the failsafe schema every scalar's value is its text, unfolded and unescaped. */
function textOf({ value }: Scalar.Parsed): string {
  return typeof value === 'string' ? value : '';
}

function readAlias(reading: Reading, alias: Alias.Parsed, keyAt: number): Read {
  const [at] = alias.range;
  const target = targetOf(reading, alias);
  if (target === null) {
    fault(reading, at, `*${alias.source} refers to an anchor that is not set before it in this document; define it with &${alias.source}`);
    return [null, leaf(at, keyAt)];
  }
  if (reading.open.has(target)) {
    fault(reading, at, `the anchor &${alias.source} contains itself; write out what is meant`);
    return [null, leaf(at, keyAt)];
  }
  reading.open.add(target);
  reading.aliasDepth += 1;
  const [value, mark] = readNode(reading, target, keyAt);
  reading.aliasDepth -= 1;
  reading.open.delete(target);
  return [value, { at, keyAt, children: mark.children }];
}

function readList(reading: Reading, list: YAMLSeq<ParsedNode>, keyAt: number, at: number): Read {
  const children = new Map<number, Mark>();
  const value = list.items.map((item, index) => {
    const [one, mark] = readNode(reading, item, item.range[0]);
    children.set(index, mark);
    return one;
  });
  return [value, { at, keyAt, children }];
}

interface Fields {
  readonly value: Record<string, Json>;
  readonly children: Map<string, Mark>;
}

function readMap(reading: Reading, map: YAMLMap<ParsedNode, Node>, keyAt: number, at: number): Read {
  const fields: Fields = { value: {}, children: new Map() };
  readFields(reading, map, fields);
  return [fields.value, { at, keyAt, children: fields.children }];
}

/** Reads a mapping's fields into `into`, in the order of the text: what comes later wins, merged fields (`<<`) included. */
function readFields(reading: Reading, map: YAMLMap<ParsedNode, Node>, into: Fields): void {
  const own = new Map<string, number>();
  for (const { key, value } of map.items) {
    if (isMergeKey(key)) {
      mergeFields(reading, value, into);
      continue;
    }
    const at = key.range[0];
    const name = readKey(reading, key);
    if (name === null) continue;
    const before = own.get(name);
    if (before !== undefined) {
      fault(reading, at, `the key ${JSON.stringify(name)} is already set in line ${reading.lineOf(before)}, and kubectl would silently take this one; remove one of the two`);
    }
    own.set(name, at);
    const [one, mark] = readNode(reading, value, at);
    setField(into, name, one, mark);
  }
}

function setField(into: Fields, name: string, value: Json, mark: Mark): void {
  Object.defineProperty(into.value, name, { value, enumerable: true, configurable: true, writable: true });
  into.children.set(name, mark);
}

function isMergeKey(key: ParsedNode): boolean {
  return isScalar(key) && key.value === '<<' && (key.tag === undefined ? key.type === 'PLAIN' : key.tag === 'tag:yaml.org,2002:merge');
}

/** `<<`: a mapping, an alias of one, or a list of these, of which earlier ones win. */
function mergeFields(reading: Reading, value: Node, into: Fields): void {
  const sources: readonly Node[] = value !== null && isSeq(value) ? (value.items as ParsedNode[]).toReversed() : [value];
  for (const source of sources) {
    const target = isAlias(source) ? targetOf(reading, source) : source;
    if (isMap(target)) mergeOne(reading, source, target as YAMLMap<ParsedNode, Node>, into);
    else fault(reading, value === null ? 0 : value.range[0], '<< takes a mapping, an alias of one (*name), or a list of these');
  }
}

function targetOf({ document }: Reading, alias: Alias.Parsed): ParsedNode | null {
  return (alias.resolve(document) as ParsedNode | undefined) ?? null;
}

function mergeOne(reading: Reading, source: Node, target: YAMLMap<ParsedNode, Node>, into: Fields): void {
  if (reading.open.has(target)) {
    fault(reading, source?.range[0] ?? 0, 'this anchor contains itself; write out what is meant');
    return;
  }
  reading.open.add(target);
  if (source !== target) reading.aliasDepth += 1;
  readFields(reading, target, into);
  if (source !== target) reading.aliasDepth -= 1;
  reading.open.delete(target);
}

function readKey(reading: Reading, key: ParsedNode): string | null {
  const node = isAlias(key) ? targetOf(reading, key) : key;
  const name = isScalar(node) ? keyFromScalar(readScalar(reading, node)) : null;
  if (name === null) fault(reading, key.range[0], 'a key must be text, a number or a boolean; quote it if text is meant');
  return name;
}

/** What a parser's error means to the person who wrote the manifest. */
const expectations: Partial<Record<YAMLError['code'], string>> = {
  BAD_ALIAS: 'an alias is written *name',
  BAD_DIRECTIVE: 'a directive is written %YAML 1.1',
  BAD_DQ_ESCAPE: 'in double quotes a backslash is written \\\\; in single quotes it stands for itself',
  BAD_INDENT: 'indent it deeper than its parent, or close the bracket that is open',
  BAD_SCALAR_START: 'quote this value',
  BLOCK_AS_IMPLICIT_KEY: 'put one key on a line, with the same indentation as its neighbours, or quote a value that holds ": "',
  BLOCK_IN_FLOW: 'inside { } and [ ] write values on one level, without - and indented blocks',
  MULTILINE_IMPLICIT_KEY: 'a key stands on one line, followed by ": "',
  MULTIPLE_ANCHORS: 'give a value one anchor',
  MULTIPLE_TAGS: 'give a value one tag',
  TAB_AS_INDENT: 'indent with spaces',
  UNEXPECTED_TOKEN: 'expected a key followed by ": ", or a list item that begins with "- ", at the indentation of its neighbours',
};

function faultFromError(error: YAMLError, text: string): TextFault {
  const expected = error.code === 'MISSING_CHAR' ? missing(error.message) : expectations[error.code];
  const offset = Math.min(error.pos[0], Math.max(0, text.trimEnd().length));
  const what = lowerFirst(error.message);
  return { offset, message: `not YAML: ${what}${expected === undefined ? '' : `; ${expected}`}`, severity: 'error' };
}

function missing(message: string): string {
  if (/quote/.test(message)) return 'close the quote that was opened before';
  if (/colon|implicit map/.test(message)) return 'put ": " between a key and its value';
  return 'add what is missing';
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
