import { createPublicKey } from 'node:crypto';
import { openNote, signNote } from '../../../src/evidence/note.ts';
import { openTreeHead, signTreeHead } from '../../../src/evidence/tree-head.ts';
import { ed25519Signer, p256Signer } from './sample-ledger.ts';

/** PEM of a raw Ed25519 key of 32 bytes. */
function pemOf(raw: Buffer): string {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ type: 'spki', format: 'pem' }).toString();
}

/** The example of golang.org/x/mod/sumdb/note, verifier key PeterNeumann+c74f20a3+…; the first byte of the key is its type. */
const NEUMANN = pemOf(Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64').subarray(1));
const PROBLEM = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const NOTE = `${PROBLEM}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

const signer = ed25519Signer('notary');
const pems = [signer.publicKeyPem];
const codeOf = (open: () => unknown) => {
  try {
    open();
    return 'opened';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

describe('a signed note', () => {
  it('of another implementation opens', () => {
    expect(openNote(NOTE, 'PeterNeumann', [NEUMANN])).toBe(PROBLEM);
  });

  it('opens with the signer’s key among others, and whatever others have signed below', async () => {
    const note = await signNote('text\n\nmore\n', 'example.org/log', signer);
    const cosigned = `${note}— witness.example ${Buffer.alloc(80).toString('base64')}\n`;
    expect(openNote(cosigned, 'example.org/log', [ed25519Signer('other').publicKeyPem, ...pems])).toBe(
      'text\n\nmore\n',
    );
  });

  it.each<[string, (note: string) => string, string]>([
    ['another text', (note) => note.replace('text', 'test'), 'note.signature'],
    ['another name', (note) => note.replace('example.org', 'example.com'), 'note.signature'],
    ['no signature line', (note) => note.slice(0, note.indexOf('—')), 'note.malformed'],
    ['a line that is no signature', (note) => `${note}hello\n`, 'note.malformed'],
    ['no last line feed', (note) => note.trimEnd(), 'note.malformed'],
    ['a carriage return', (note) => note.replace('text', 'te\rxt'), 'note.malformed'],
    [
      'spare bits in the base64',
      (note) => note.replace(/(.)=\n$/, (_m, last: string) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=\n`),
      'note.malformed',
    ],
    ['nothing in it', () => '', 'note.malformed'],
  ])('with %s does not', async (_what, bend, code) => {
    const note = await signNote('text\n', 'example.org/log', signer);
    expect(codeOf(() => openNote(note, 'example.org/log', pems))).toBe('opened');
    expect(codeOf(() => openNote(bend(note), 'example.org/log', pems))).toBe(code);
  });

  it('is rejected when one of several signatures by our key is wrong', async () => {
    const good = await signNote('text\n', 'example.org/log', signer);
    const bad = (await signNote('other\n', 'example.org/log', signer)).split('\n').at(-2);
    expect(codeOf(() => openNote(`${good}${bad}\n`, 'example.org/log', pems))).toBe('note.signature');
  });

  it('needs an Ed25519 key', () => {
    expect(codeOf(() => openNote(NOTE, 'PeterNeumann', [p256Signer('x').publicKeyPem]))).toBe('key.type');
  });
});

describe('a tree head', () => {
  const head = { origin: 'example.org/log', size: 7, root: Buffer.alloc(32, 1).toString('base64') };

  it('comes back from its checkpoint', async () => {
    const checkpoint = await signTreeHead(head, signer);
    expect(checkpoint.split('\n').slice(0, 4)).toEqual(['example.org/log', '7', head.root, '']);
    expect(openTreeHead(checkpoint, pems)).toEqual(head);
  });

  it('may have extension lines of others', async () => {
    const checkpoint = await signNote(`${head.origin}\n7\n${head.root}\nextension\n`, head.origin, signer);
    expect(openTreeHead(checkpoint, pems)).toEqual(head);
  });

  it.each([
    ['a size with a leading zero', `example.org/log\n07\n${head.root}\n`],
    ['a root that is too short', 'example.org/log\n7\nAAAA\n'],
    ['no size', `example.org/log\n${head.root}\n`],
  ])('with %s is none, though it is signed', async (_what, text) => {
    const note = await signNote(text, 'example.org/log', signer);
    expect(codeOf(() => openTreeHead(note, pems))).toBe('checkpoint.malformed');
  });

  it.each(['', 'two words', 'a+b', 'line\nfeed'])('is not signed under the name %j', (origin) => {
    expect(() => signTreeHead({ ...head, origin }, signer)).toThrow(
      expect.objectContaining({ code: 'checkpoint.origin' }),
    );
  });
});
