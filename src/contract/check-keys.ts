import { type KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '../lib/errors.ts';
import type { ContractFile } from './contract-file.ts';
import { publicKey, requireKmsKey, requireStatementKey, spki } from './key-type.ts';
import { parseKeyUrl } from './key-url.ts';
import type { Problem } from './problems.ts';

/**
 * What is wrong with the contract's keys beyond their form: of a type that verifiers cannot read, one id twice, or one key in two
 * roles (then a stolen key could say what two roles may say); where their private halves cannot be opened. Also certificates that
 * are none.
 */
export function keyProblems({ trust, clusters }: ContractFile): Problem[] {
  const ids = new Map<string, string>();
  const keys = new Map<string, string>();
  const authorities: [path: string[], pems: readonly string[]][] = [
    [['trust', 'timestamp'], trust.timestamp?.certificates ?? []],
    ...Object.entries(clusters).map(([name, each]): [string[], string[]] => [['clusters', name], each.certificates]),
  ];
  const certificates = authorities.flatMap(([path, pems]) =>
    pems.flatMap((pem, i) => problem([...path, 'certificates', i], () => void new X509Certificate(pem))),
  );
  const found = Object.entries(trust.keys).flatMap(([role, list]) =>
    (list ?? []).flatMap(({ id, public: pem, url }, i) => {
      const path = ['trust', 'keys', role, i];
      return [
        ...problem([...path, 'public'], () => checkKey(role, pem, url, keys)),
        ...problem([...path, 'url'], () => void (url !== undefined && parseKeyUrl(url))),
        ...problem([...path, 'id'], () => once(ids, id, role, `key id ${id}`)),
      ];
    }),
  );
  return [...certificates, ...found];
}

function checkKey(role: string, pem: string, url: string | undefined, seen: Map<string, string>): void {
  const what = `the public key of role ${role}`;
  const key: KeyObject = publicKey(pem, what);
  // The notary signs checkpoints with Ed25519 and its own records with another key.
  if (role !== 'notary' || key.asymmetricKeyType !== 'ed25519') requireStatementKey(key, what);
  if (url?.startsWith('awskms:')) requireKmsKey(key, what);
  once(seen, spki(key).toString('base64'), role, 'this key');
}

function once(seen: Map<string, string>, value: string, role: string, what: string): void {
  const other = seen.get(value);
  if (other !== undefined)
    throw new Error(`${what} is also of role ${other}: one key a role, or a stolen one speaks for both`);
  seen.set(value, role);
}

function problem(path: Problem['path'], check: () => void): Problem[] {
  try {
    check();
    return [];
  } catch (cause) {
    return [{ path, message: messageOf(cause) }];
  }
}
