import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Reply, startServer } from './json-server.ts';

export interface AuthorityOptions {
  key?: 'ec' | 'rsa';
  /** Hash of the signature. */
  digest?: 'sha256' | 'sha384' | 'sha512';
  /** The signer's extended key usage. */
  usage?: string;
}

/** A time stamping authority: a root and a signer below it, made by openssl. */
export interface Authority {
  folder: string;
  /** PEM. */
  root: string;
  signer: string;
  /** Stamps a request (DER) by `openssl ts -reply`. */
  stamp(query: Buffer): Buffer;
}

/** Makes root, signer and configuration in a folder. `openssl ts` is a standards implementation that shares nothing with ours. */
export function makeAuthority(
  folder: string,
  { key = 'ec', digest = 'sha256', usage = 'critical,timeStamping' }: AuthorityOptions = {},
): Authority {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const newKey = (out: string) =>
    key === 'ec'
      ? ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', out]
      : ['-newkey', 'rsa:2048', '-keyout', out];
  writeFileSync(
    file('signer.ext'),
    `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=${usage}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n`,
  );
  writeFileSync(
    file('tsa.cnf'),
    `[tsa]\ndefault_tsa = t\n[t]\nserial = ${file('serial')}\nsigner_cert = ${file('signer.pem')}\nsigner_key = ${file('signer.key')}\ncerts = ${file('root.pem')}\nsigner_digest = ${digest}\ndefault_policy = 1.2.3.4.1\ndigests = sha256, sha384, sha512\naccuracy = secs:1\nordering = yes\ntsa_name = yes\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n`,
  );
  writeFileSync(file('serial'), '01');
  openssl(
    'req',
    '-x509',
    ...newKey('root.key'),
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=stamp root',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign',
    // The same name and key id for every root: only the signature tells them apart.
    '-addext',
    'subjectKeyIdentifier=0102030405060708',
    '-addext',
    'authorityKeyIdentifier=none',
    '-out',
    'root.pem',
  );
  openssl('req', '-new', ...newKey('signer.key'), '-nodes', '-subj', '/CN=stamp signer', '-out', 'signer.csr');
  openssl(
    'x509',
    '-req',
    '-in',
    'signer.csr',
    '-CA',
    'root.pem',
    '-CAkey',
    'root.key',
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    'signer.ext',
    '-out',
    'signer.pem',
  );
  return {
    folder,
    root: readFileSync(file('root.pem'), 'utf8'),
    signer: readFileSync(file('signer.pem'), 'utf8'),
    stamp: (query) => {
      writeFileSync(file('query.tsq'), query);
      openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'query.tsq', '-out', 'reply.tsr');
      return readFileSync(file('reply.tsr'));
    },
  };
}

export interface TsaServer {
  url: string;
  /** Changes what is sent back; the request is given. */
  answer: (query: Buffer) => Reply;
  close(): Promise<void>;
}

/** An authority behind an address on loopback. */
export async function startTsa(authority: Authority): Promise<TsaServer> {
  const server = await startServer(({ body }) => tsa.answer(body));
  const tsa: TsaServer = {
    url: server.url,
    answer: (query) => stampReply(authority.stamp(query)),
    close: server.close,
  };
  return tsa;
}

export function stampReply(bytes: Buffer): Reply {
  return { headers: { 'content-type': 'application/timestamp-reply' }, bytes };
}
