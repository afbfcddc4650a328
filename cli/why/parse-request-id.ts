import { parsed, refused, type Parsed } from '@belay/contract';

/** The value of x-belay-request-id in its parts. */
export interface RequestId {
  readonly id: string;
  readonly pod: string;
}

/** `POD.COUNTER`; a pod's name may have dots of its own. */
export function parseRequestId(text: string): Parsed<RequestId> {
  const pod = /^([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)\.\d{1,16}$/.exec(text.trim())?.[1];
  if (pod === undefined) return refused('', `${JSON.stringify(text)} is no request id: one is POD.NUMBER, such as web-7d4b9c-x2x5k.17, as the answer's header x-belay-request-id and the log have it`);
  return parsed({ id: text.trim(), pod });
}
