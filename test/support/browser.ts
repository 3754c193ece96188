import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from './sandbox.ts';
import { toolPath } from './tools.ts';

/** One page of a real Chromium, spoken to by its own protocol: Node has a WebSocket, so no driver is needed. */
export interface Page {
  open(url: string): Promise<void>;
  /** Runs an expression in the page and gives its value, awaited. */
  run<T>(expression: string): Promise<T>;
  /** As the reader's system asks for it, or as a printer does. */
  look(media: 'light' | 'dark' | 'print'): Promise<void>;
  /** Number of pages on A4, by Chromium's own print to PDF. */
  printedPages(): Promise<number>;
  /** Addresses that the page asked for, its own included. */
  requests: string[];
  /** Lines on the console, and errors. */
  said: string[];
  close(): Promise<void>;
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
];

export async function startBrowser(): Promise<Page> {
  const profile = mkdtempSync(join(tmpdir(), 'gatehouse-browser-'));
  const child = spawn(toolPath('chromium'), [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    env: cleanEnvironment(profile),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const session = await connect(new URL(await addressOf(child)).host);
  const requests: string[] = [];
  const said: string[] = [];
  // biome-ignore lint/suspicious/noExplicitAny: each event has its own shape
  session.on((method: string, params: any) => {
    if (method === 'Network.requestWillBeSent') requests.push(params.request.url);
    if (method === 'Runtime.exceptionThrown') said.push(params.exceptionDetails.text);
    if (method === 'Log.entryAdded') said.push(params.entry.text);
  });
  for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await session.send(`${domain}.enable`);
  return {
    requests,
    said,
    open: async (url) => {
      const loaded = session.once('Page.loadEventFired');
      await session.send('Page.navigate', { url });
      await loaded;
    },
    run: async (expression) => {
      const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return result.value;
    },
    look: async (media) => {
      const features = [{ name: 'prefers-color-scheme', value: media === 'dark' ? 'dark' : 'light' }];
      await session.send('Emulation.setEmulatedMedia', { media: media === 'print' ? 'print' : 'screen', features });
    },
    printedPages: async () => {
      const { data } = await session.send('Page.printToPDF', { printBackground: true });
      return (
        Buffer.from(data, 'base64')
          .toString('latin1')
          .split(/\/Type\s*\/Page\b/).length - 1
      );
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // Not by a command: whether Chromium answers that before it goes is a race.
      child.kill();
      await within(ended, 'its end');
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Chromium says on stderr where it listens. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (part: Buffer) => {
      text += part.toString('utf8');
      const address = /ws:\/\/\S+/.exec(text)?.[0];
      if (address !== undefined) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`chromium ended with ${code}: ${text.slice(-2000)}`)));
  });
}

async function connect(host: string) {
  const targets = (await (await fetch(`http://${host}/json`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const page = targets.find(({ type }) => type === 'page');
  const socket = new WebSocket(page?.webSocketDebuggerUrl as string);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  // biome-ignore lint/suspicious/noExplicitAny: each answer has its own shape
  const waiting = new Map<number, { resolve(value: any): void; reject(cause: Error): void }>();
  const listeners: ((method: string, params: unknown) => void)[] = [];
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data));
    if (message.id === undefined) {
      for (const listener of listeners) listener(message.method, message.params);
      return;
    }
    const waiter = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) waiter?.resolve(message.result);
    else waiter?.reject(new Error(message.error.message));
  };
  socket.onclose = () => {
    for (const { reject } of waiting.values()) reject(new Error('chromium closed the connection'));
  };
  let last = 0;
  return {
    on: (listener: (method: string, params: unknown) => void) => void listeners.push(listener),
    once: (method: string) =>
      within(
        new Promise<void>((resolve) => void listeners.push((said) => (said === method ? resolve() : undefined))),
        method,
      ),
    // biome-ignore lint/suspicious/noExplicitAny: each answer has its own shape
    send: (method: string, params: object = {}): Promise<any> =>
      within(
        new Promise((resolve, reject) => {
          const id = ++last;
          waiting.set(id, { resolve, reject });
          socket.send(JSON.stringify({ id, method, params }));
        }),
        method,
      ),
  };
}

/** Says what of Chromium does not come, before the test runner ends the test without a word of it. */
async function within<T>(coming: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`chromium does not come to ${what} within two minutes`)), 120_000);
  });
  try {
    return await Promise.race([coming, late]);
  } finally {
    clearTimeout(timer);
  }
}
