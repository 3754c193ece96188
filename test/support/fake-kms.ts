import { execFileSync } from 'node:child_process';
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Reply, type Seen, startServer, type TestServer } from './json-server.ts';

export const KEY_ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

/** What a key service was asked to sign. */
export interface Asked {
  KeyId: string;
  Message: string;
  MessageType: string;
  SigningAlgorithm: string;
}

/** What it was asked, of a request. */
export const askedOf = ({ body }: Seen): Asked => JSON.parse(body.toString());

/**
 * NOT a key service: one request of one, with a key in a file of the test, for faults that no real server here has. `first`
 * answers before anything else does, or leaves it to the rest. What a real one does is tested against LocalStack.
 */
export async function startFakeKms(
  keyFile: string,
  first: (seen: Seen) => Reply | Promise<Reply> | undefined = () => undefined,
): Promise<TestServer & { keyUrl: string }> {
  const server = await startServer((seen) => first(seen) ?? signedBy(keyFile, askedOf(seen)));
  return { ...server, keyUrl: `awskms:///${KEY_ARN}?endpoint=${server.url}` };
}

/** The answer to a request, by the key in this file. */
export function signedBy(keyFile: string, { KeyId, Message, MessageType, SigningAlgorithm }: Asked): Reply {
  const message = Buffer.from(Message, 'base64');
  const signature =
    MessageType === 'RAW'
      ? sign(null, message, createPrivateKey(readFileSync(keyFile)))
      : execFileSync('openssl', ['pkeyutl', '-sign', '-inkey', keyFile, '-pkeyopt', 'digest:sha256'], {
          input: message,
        });
  return { json: { KeyId, Signature: signature.toString('base64'), SigningAlgorithm } };
}

export function kmsError(status: number, type: string, message = 'no'): Reply {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, json: { __type: type, message } };
}
