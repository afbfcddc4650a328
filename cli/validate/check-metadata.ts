import { formatFieldPath } from '../manifest/field-path.ts';
import { isObject, type JsonObject } from '../manifest/read-manifests.ts';
import type { Json } from '../manifest/yaml-tree.ts';
import { fieldError, invalid, required, type FieldError } from './field-error.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const isLabel = new RegExp(`^${label}$`);
const isSubdomain = new RegExp(`^${subdomain}$`);
const isQualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const isLabelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const maxAnnotationBytes = 256 * 1024;

const subdomainMessage = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;
const labelMessage = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
const nameMessage = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const valueMessage = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** Names, labels and annotations as an API server checks them (apimachinery, api/validation and util/validation). */
export function checkMetadata(resource: JsonObject): readonly FieldError[] {
  const { metadata = null } = resource;
  if (metadata !== null && !isObject(metadata)) return [wrongType('metadata', 'an object')];
  const { name, generateName, namespace, labels, annotations } = metadata ?? {};
  if (name === undefined && typeof generateName === 'string' && generateName !== '') return [required('metadata.name', 'what is read from files needs a name of its own; generateName has no effect')];
  return [
    ...checkName('metadata.name', name, true),
    ...checkName('metadata.namespace', namespace, false),
    ...checkMap('metadata.labels', labels, (key, value) => [...qualifiedName(key), ...labelValue(value)]),
    ...checkMap('metadata.annotations', annotations, (key) => qualifiedName(key.toLowerCase()).map(([, detail]) => [key, detail] as const)),
    ...annotationSize(annotations),
  ];
}

type Fault = readonly [value: string, detail: string];

function checkName(path: string, name: Json | undefined, isName: boolean): readonly FieldError[] {
  if (name === undefined || name === null || name === '') return isName ? [required(path, 'name or generateName is required')] : [];
  if (typeof name !== 'string') return [wrongType(path, 'text')];
  const { limit, form, message } = isName ? { limit: 253, form: isSubdomain, message: subdomainMessage } : { limit: 63, form: isLabel, message: labelMessage };
  return [
    ...(Buffer.byteLength(name) > limit ? [invalid(path, name, tooLong(limit, 'characters'))] : []),
    ...(form.test(name) ? [] : [invalid(path, name, message)]),
  ];
}

function checkMap(path: string, map: Json | undefined, check: (key: string, value: string) => readonly Fault[]): readonly FieldError[] {
  if (map === undefined || map === null) return [];
  if (!isObject(map)) return [wrongType(path, 'a mapping of text to text')];
  return Object.entries(map).flatMap(([key, value]) => {
    if (value !== null && typeof value !== 'string') return [wrongType(formatFieldPath(['metadata', path.slice('metadata.'.length), key]), `text: quote it, as "${String(value)}"`)];
    return check(key, value ?? '').map(([shown, detail]) => invalid(path, shown, detail));
  });
}

/** An API server refuses such a request before it looks at fields; there is no cause of its own to repeat. */
function wrongType(path: string, right: string): FieldError {
  return fieldError(path, 'FieldValueTypeInvalid', `must be ${right}`);
}

function qualifiedName(key: string): readonly Fault[] {
  const parts = key.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2) {
    return [[key, "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]];
  }
  return [...(second === undefined ? [] : prefixFaults(first)), ...nameFaults(second ?? first)].map((detail) => [key, detail] as const);
}

function prefixFaults(prefix: string): readonly string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  const faults = prefix.length > 253 ? [`prefix part ${tooLong(253, 'bytes')}`] : [];
  return isSubdomain.test(prefix) ? faults : [...faults, `prefix part ${subdomainMessage}`];
}

function nameFaults(name: string): readonly string[] {
  const faults = name === '' ? ['name part must be non-empty'] : name.length > 63 ? [`name part ${tooLong(63, 'bytes')}`] : [];
  return isQualifiedName.test(name) ? faults : [...faults, nameMessage];
}

function labelValue(value: string): readonly Fault[] {
  const faults: Fault[] = value.length > 63 ? [[value, tooLong(63, 'bytes')]] : [];
  return isLabelValue.test(value) ? faults : [...faults, [value, valueMessage]];
}

function annotationSize(annotations: Json | undefined): readonly FieldError[] {
  if (!isObject(annotations)) return [];
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value ?? '')), 0);
  return bytes > maxAnnotationBytes ? [fieldError('metadata.annotations', 'FieldValueTooLong', `Too long: may not be more than ${maxAnnotationBytes} bytes`)] : [];
}

function tooLong(limit: number, unit: 'bytes' | 'characters'): string {
  return `must be no more than ${limit} ${unit}`;
}
