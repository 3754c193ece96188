import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directoryStore } from '../../../src/store/directory.ts';
import { openStore, type Store, type StoreEntry } from '../../../src/store/store.ts';

let root: string;
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gatehouse-store-'));
  store = directoryStore(root);
});
afterEach(() => {
  chmodSync(root, 0o755);
  rmSync(root, { recursive: true });
});

async function listed(prefix = ''): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for await (const entry of store.list(prefix)) entries.push(entry);
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}
const keysOf = async (prefix = '') => (await listed(prefix)).map(({ key }) => key);
const bytes = Buffer.from('hello');
const DIGEST = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

describe('put', () => {
  it('creates a read-only object and answers with a receipt', async () => {
    const before = Date.now();
    const { created, receipt } = await store.put('v1/records/a.json', bytes);
    expect(created).toBe(true);
    expect(receipt).toEqual({
      schema: 'gatehouse/receipt/1',
      key: 'v1/records/a.json',
      versionId: null,
      storeTime: expect.any(String),
      digest: DIGEST,
    });
    expect(Math.abs(Date.parse(receipt.storeTime as string) - before)).toBeLessThan(60_000);
    expect(await store.get('v1/records/a.json')).toEqual(bytes);
    expect(statSync(join(root, 'v1/records/a.json')).mode & 0o777).toBe(0o444);
  });

  it('never replaces what is there (F49)', async () => {
    await store.put('v1/a', bytes);
    const second = await store.put('v1/a', Buffer.from('forged'));
    expect(second.created).toBe(false);
    expect(second.receipt.storeTime).toBeNull();
    expect(await store.get('v1/a')).toEqual(bytes);
  });

  it('of 16 at the same time exactly one wins, also over several stores in one folder', async () => {
    const stores = [store, directoryStore(root), directoryStore(root)];
    const puts = await Promise.all(
      Array.from({ length: 16 }, (_, i) => (stores[i % 3] as Store).put('v1/x/y/z', Buffer.from(`writer ${i}`))),
    );
    const winners = puts.flatMap(({ created }, i) => (created ? [i] : []));
    expect(winners).toHaveLength(1);
    expect(await store.get('v1/x/y/z')).toEqual(Buffer.from(`writer ${winners[0]}`));
  });

  it('leaves no temporary file behind, neither after success nor when the name was taken', async () => {
    await store.put('v1/a', bytes);
    await store.put('v1/a', bytes);
    expect(readdirSync(join(root, '.tmp'))).toEqual([]);
  });

  it('holds nothing, and large objects', async () => {
    const large = Buffer.alloc(5_000_000, 7);
    await store.put('v1/empty', Buffer.alloc(0));
    await store.put('v1/large', large);
    expect(await store.get('v1/empty')).toEqual(Buffer.alloc(0));
    expect((await store.get('v1/large'))?.equals(large)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a step up', '../outside'],
    ['a step up further down', 'v1/../../outside'],
    ['an absolute path', '/etc/passwd'],
    ['an empty part', 'v1//a'],
    ['an empty last part', 'v1/a/'],
    ['a hidden name', 'v1/.hidden'],
    ['the temporary folder', '.tmp/a'],
    ['a null character', 'v1/a\u0000b'],
    ['a line feed', 'v1/a\nb'],
    ['a space', 'v1/a b'],
    ['a letter outside ASCII', 'v1/é'],
    ['a backslash', 'v1/a\\b'],
    ['a part that is too long', `v1/${'a'.repeat(256)}`],
    ['too many parts', Array.from({ length: 600 }, () => 'a').join('/')],
  ])('refuses a key that is or has %s', async (_what, key) => {
    await expect(store.put(key, bytes)).rejects.toMatchObject({ code: 'store.key', exit: 2 });
    await expect(store.get(key)).rejects.toMatchObject({ code: 'store.key' });
    expect(readdirSync(root)).toEqual([]);
  });

  it('does not follow a link that was planted in the way', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'gatehouse-elsewhere-'));
    mkdirSync(join(root, 'v1'));
    symlinkSync(elsewhere, join(root, 'v1/records'));
    await expect(store.put('v1/records/a.json', bytes)).rejects.toMatchObject({ code: 'store.link', exit: 3 });
    await expect(store.get('v1/records/a.json')).rejects.toMatchObject({ code: 'store.link' });
    symlinkSync('/etc/hostname', join(root, 'v1/a'));
    expect((await store.put('v1/a', bytes)).created).toBe(false);
    await expect(store.get('v1/a')).rejects.toMatchObject({ code: 'store.failed' });
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('says what to do when a file is where a folder must be', async () => {
    await store.put('v1/a', bytes);
    await expect(store.put('v1/a/b', bytes)).rejects.toMatchObject({ code: 'store.not_a_folder', exit: 3 });
  });

  it('cannot, with the fix, where the folder does not exist', async () => {
    const missing = directoryStore(join(root, 'missing'));
    const expected = { code: 'store.missing', exit: 3, message: expect.stringContaining('mkdir -p') };
    await expect(missing.put('v1/a', bytes)).rejects.toMatchObject(expected);
    await expect(missing.get('v1/a')).rejects.toMatchObject(expected);
    await expect(missing.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject(expected);
    expect(existsSync(join(root, 'missing'))).toBe(false);
  });

  const asRoot = process.getuid?.() === 0;
  it('cannot, with the fix, where the folder is not writable', async () => {
    if (asRoot) return expectInChild();
    chmodSync(root, 0o555);
    await expect(store.put('v1/a', bytes)).rejects.toMatchObject({
      code: 'store.failed',
      message: expect.stringContaining('write access'),
    });
  });

  /** root may write everywhere, so a child gives up its rights first. */
  function expectInChild(): void {
    chmodSync(root, 0o555);
    const script = `const { directoryStore } = await import(${JSON.stringify(new URL('../../../src/store/directory.js', import.meta.url).href)});
      await directoryStore(${JSON.stringify(root)}).put('v1/a', Buffer.from('x')).then(() => console.log('stored'), (e) => console.log(e.code, e.exit, e.message));`;
    const said = execFileSync(
      'setpriv',
      ['--bounding-set=-all', '--inh-caps=-all', process.execPath, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    expect(said).toMatch(/^store\.failed 3 .*write access/);
  }
});

describe('get', () => {
  it('is null for what is not there', async () => {
    await store.put('v1/a', bytes);
    expect(await store.get('v1/b')).toBeNull();
    expect(await store.get('v1/no/such/folder')).toBeNull();
  });

  it('does not hang at a pipe and does not read a folder', async () => {
    mkdirSync(join(root, 'v1/folder'), { recursive: true });
    execFileSync('mkfifo', [join(root, 'v1/pipe')]);
    await expect(store.get('v1/pipe')).rejects.toMatchObject({ code: 'store.odd', exit: 3 });
    await expect(store.get('v1/folder')).rejects.toMatchObject({ exit: 3 });
  });
});

describe('list', () => {
  it('shows what is under a prefix, which need not end at a folder', async () => {
    for (const key of ['v1/a/1', 'v1/a/2', 'v1/ab/3', 'v1/b/4']) await store.put(key, bytes);
    expect(await keysOf()).toEqual(['v1/a/1', 'v1/a/2', 'v1/ab/3', 'v1/b/4']);
    expect(await keysOf('v1/a/')).toEqual(['v1/a/1', 'v1/a/2']);
    expect(await keysOf('v1/a')).toEqual(['v1/a/1', 'v1/a/2', 'v1/ab/3']);
    expect(await keysOf('v1/a/2')).toEqual(['v1/a/2']);
    expect(await keysOf('v9/')).toEqual([]);
    expect((await listed('v1/b/'))[0]).toEqual({
      key: 'v1/b/4',
      size: 5,
      storeTime: expect.any(String),
      versionId: null,
      oddity: null,
    });
  });

  it('does not show what a killed writer left', async () => {
    await store.put('v1/a', bytes);
    writeFileSync(join(root, '.tmp/leftover'), 'half');
    expect(await keysOf()).toEqual(['v1/a']);
  });

  it('shows links, special files and impossible names as odd instead of passing over them', async () => {
    mkdirSync(join(root, 'v1/.hidden'), { recursive: true });
    symlinkSync('/', join(root, 'v1/link'));
    execFileSync('mkfifo', [join(root, 'v1/pipe')]);
    writeFileSync(join(root, 'v1/bad\u001b[2Jname'), '');
    expect((await listed()).map(({ key, oddity }) => [key, oddity])).toEqual([
      ['v1/.hidden', 'a name that no key has'],
      ['v1/bad?[2Jname', 'a name that no key has'],
      ['v1/link', 'a symbolic link'],
      ['v1/pipe', 'a special file'],
    ]);
  });

  it('does not take the time of an object from what anybody can set', async () => {
    await store.put('v1/a', bytes);
    chmodSync(join(root, 'v1/a'), 0o644);
    utimesSync(join(root, 'v1/a'), new Date('2001-01-01'), new Date('2001-01-01'));
    expect(Date.parse((await listed())[0]?.storeTime as string)).toBeGreaterThan(Date.parse('2020-01-01'));
  });
});

describe('openStore', () => {
  it('opens a folder, and never calls it locked', async () => {
    const { descriptor } = openStore(`file://${root}`, {});
    expect(descriptor).toEqual({
      url: `file://${root}`,
      kind: 'directory',
      lock: 'none (tamper-evident only)',
      conditionalCreate: true,
      versions: false,
      serverTime: false,
    });
  });

  it.each([
    ['ftp://host/x', 'store.scheme'],
    ['/tmp', 'store.scheme'],
    ['', 'store.scheme'],
    ['file:relative', 'store.url'],
    ['file://host/folder', 'store.url'],
    ['file:///folder?x=1', 'store.url'],
    ['file:///a%00b', 'store.url'],
    ['file:///a%2fb', 'store.url'],
  ])('refuses %j', (url, code) => {
    expect(() => openStore(url, {})).toThrow(expect.objectContaining({ code, exit: 2 }));
  });

  it('keeps working when its folder is reached through a link that its URL names', async () => {
    const link = `${root}-link`;
    symlinkSync(root, link);
    await openStore(`file://${link}`, {}).put('v1/a', bytes);
    expect(readFileSync(join(root, 'v1/a'))).toEqual(bytes);
    rmSync(link);
  });
});
