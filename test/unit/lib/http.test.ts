import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type HttpRequest, http } from '../../../src/lib/http.ts';
import { startServer, type TestServer } from '../../support/json-server.ts';
import { sandboxes } from '../../support/sandbox.ts';
import { selfSigned } from '../../support/self-signed.ts';

const sandbox = sandboxes();
let server: TestServer;
const request = (path: string, changes: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  url: `${server.url}${path}`,
  what: 'read the thing',
  limit: 1024,
  timeout: 5_000,
  ...changes,
});

beforeAll(async () => {
  server = await startServer(({ path, body }) => {
    if (path === '/moved') return { status: 302, headers: { location: `${server.url}/fine` }, json: {} };
    if (path === '/large') return { bytes: Buffer.alloc(1025) };
    if (path === '/echo') return { bytes: body };
    if (path === '/missing') return { status: 404, json: { message: 'no' } };
    return { json: { fine: true } };
  });
});
afterAll(async () => {
  await server.close();
  sandbox.clean();
});

describe('http', () => {
  it('gives status, headers and body, whatever the status', async () => {
    const fine = await http(request('/fine'));
    expect(fine.status).toBe(200);
    expect(fine.headers['content-type']).toContain('application/json');
    expect(JSON.parse(fine.body.toString())).toEqual({ fine: true });
    expect((await http(request('/missing'))).status).toBe(404);
  });

  it('sends a body as it is', async () => {
    const body = Buffer.from([0, 255, 10]);
    const { body: back } = await http(request('/echo', { method: 'POST', body }));
    expect(back.equals(body)).toBe(true);
  });

  it.each([
    ['a redirect, which is not followed', '/moved', 'http.redirect'],
    ['more bytes than are read', '/large', 'http.too_large'],
  ])('refuses %s', async (_, path, code) => {
    await expect(http(request(path))).rejects.toMatchObject({
      code,
      exit: 3,
      message: expect.stringContaining('could not read the thing'),
    });
  });

  it('does not even look where a redirect points', async () => {
    const before = server.seen.length;
    await http(request('/moved')).catch(() => undefined);
    expect(server.seen.slice(before).map((each) => each.path)).toEqual(['/moved']);
  });

  it('reads exactly as many bytes as allowed', async () => {
    expect((await http(request('/large', { limit: 1025 }))).body).toHaveLength(1025);
  });

  it.each([
    ['plain http elsewhere', 'http://example.org/x'],
    ['plain http at a name that begins like this machine', 'http://127.0.0.1.example.org/x'],
    ['another scheme', 'file:///etc/passwd'],
    ['a password in the address', 'https://user:secret@example.org/'],
    ['a name in the address', 'https://user@example.org/'],
    ['what is no address', 'example'],
  ])('refuses %s without sending anything', async (_, url) => {
    const failure = http(request('', { url }));
    await expect(failure).rejects.toMatchObject({ code: 'http.url' });
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
  });

  it('goes straight where it is sent, whatever proxy the environment names', async () => {
    const module = new URL('../../../src/lib/http.js', import.meta.url).href;
    const asked = { method: 'GET', url: `${server.url}/fine`, what: 'x', limit: 99, timeout: 5_000 };
    const script = `const { http } = await import(${JSON.stringify(module)}); console.log((await http(${JSON.stringify(asked)})).status);`;
    const env = {
      PATH: process.env.PATH,
      NODE_USE_ENV_PROXY: '1',
      HTTP_PROXY: 'http://127.0.0.1:9',
      http_proxy: 'http://127.0.0.1:9',
    };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    expect(stdout.trim()).toBe('200');
  });
});

describe('http against a server that misbehaves', () => {
  const broken = async (onConnection: (socket: Socket) => void, ask: (url: string) => Promise<unknown>) => {
    const sockets: Socket[] = [];
    const raw = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      onConnection(socket);
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    try {
      return await ask(`http://127.0.0.1:${(raw.address() as AddressInfo).port}/?token=secret`);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => raw.close(resolve));
    }
  };

  it.each([
    ['one that never answers', () => undefined, 'http.timeout'],
    [
      'one that stops in the middle',
      (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'),
      'http.timeout',
    ],
    [
      'one that hangs up in the middle',
      (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'),
      'http.unreachable',
    ],
    ['one that speaks no HTTP', (socket: Socket) => void socket.end('hello\r\n\r\n'), 'http.unreachable'],
  ])('gives up on %s', async (_, onConnection, code) => {
    const ask = (url: string) => http(request('', { url, timeout: code === 'http.timeout' ? 400 : 60_000 }));
    const failure = broken(onConnection, ask);
    await expect(failure).rejects.toMatchObject({ code });
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
  });
});

describe('http over TLS', () => {
  it('believes only certificates that it was told to believe', async () => {
    const folder = sandbox.folder('tls');
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=127.0.0.1',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        'key.pem',
        '-out',
        'cert.pem',
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    const cert = readFileSync(join(folder, 'cert.pem'), 'utf8');
    const secure = createTlsServer(
      { key: readFileSync(join(folder, 'key.pem')), cert },
      (_, response) => void response.end('{}'),
    );
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`;
    try {
      await expect(http(request('', { url }))).rejects.toMatchObject({ code: 'http.unreachable' });
      expect((await http(request('', { url, ca: [cert] }))).status).toBe(200);
      expect((await http(request('', { url, onlyCa: [cert] }))).status).toBe(200);
      const { cert: other } = selfSigned(folder, 'other');
      await expect(http(request('', { url, onlyCa: [other] }))).rejects.toMatchObject({ code: 'http.unreachable' });
      await expect(http(request('', { url, onlyCa: [] }))).rejects.toMatchObject({ code: 'http.unreachable' });
    } finally {
      await new Promise((resolve) => secure.close(resolve));
    }
  });
});
