import type { OutgoingHttpHeaders } from 'node:http';

export interface Answer {
  status: number;
  headers?: OutgoingHttpHeaders;
  body?: Buffer;
}

/** An error as the distribution specification words it ("Error codes"). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: OutgoingHttpHeaders;

  constructor(status: number, code: string, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** The refusal as a client gets it. */
export function refusalAnswer({ status, code, message, headers }: Refusal): Answer {
  return json(status, { errors: [{ code, message }] }, headers);
}

/** A value as the body of an answer. */
export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}
