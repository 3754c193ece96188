import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRegistryClient, type RegistryClient, type RegistryOptions } from '../../../src/registry/client.ts';
import { readLayout } from '../../../src/registry/layout.ts';
import type { Descriptor } from '../../../src/registry/manifest.ts';
import { type PushedManifest, pushLayout } from '../../../src/registry/push-layout.ts';
import {
  type RegistryServer,
  type RegistryServerOptions,
  type SeenRequest,
  startRegistry,
} from '../../../src/registry/server/start.ts';
import type { Timing } from '../../../src/registry/timing.ts';
import { sandboxes } from '../../support/sandbox.ts';
import { imageParts, type LayoutParts, writeLayout } from './tiny-layout.ts';

/** Time that only passes when somebody sleeps; remembers every sleep. */
export function fakeTiming(): Timing & { slept: number[] } {
  let now = Date.parse('2026-01-31T08:00:00Z');
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    random: () => 0.5,
    async sleep(milliseconds) {
      slept.push(milliseconds);
      now += milliseconds;
    },
  };
}

export interface Scene {
  server: RegistryServer;
  client: RegistryClient;
  timing: ReturnType<typeof fakeTiming>;
  /** Every request, in order. */
  seen: SeenRequest[];
}

/** Starts servers and folders for one test file; `afterEach(scenes.clean)`. */
export function scenes() {
  const sandbox = sandboxes();
  const closing: (() => Promise<void>)[] = [];
  return {
    folder: sandbox.folder,
    /** A registry of ours and a client for it, with a sleep that takes no time. */
    async open(server: RegistryServerOptions = {}, client: Partial<RegistryOptions> = {}): Promise<Scene> {
      const seen: SeenRequest[] = [];
      const started = await startRegistry({
        ...server,
        faults: (request) => {
          seen.push(request);
          return server.faults?.(request) ?? null;
        },
      });
      closing.push(started.close);
      const timing = fakeTiming();
      return {
        server: started,
        seen,
        timing,
        client: createRegistryClient({ registry: started.host, timing, ...client }),
      };
    },
    /** A server that answers whatever the test wants, for registries that are wrong. */
    async scripted(
      answer: (request: IncomingMessage, response: ServerResponse) => void,
    ): Promise<{ host: string; url: string }> {
      const { createServer } = process.getBuiltinModule('node:http');
      const server = createServer((request, response) => {
        request.resume();
        answer(request, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closing.push(
        () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      );
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      return { host, url: `http://${host}` };
    },
    layout(parts: LayoutParts): string {
      return writeLayout(sandbox.folder('layout'), parts);
    },
    async clean(): Promise<void> {
      for (const close of closing.splice(0)) await close();
      sandbox.clean();
    },
  };
}

export const REPOSITORY = 'acme/app';

/** Pushes a tiny image (or what the parts say); gives its top as a descriptor. */
export async function pushTiny(client: RegistryClient, folder: string): Promise<Descriptor & PushedManifest> {
  const [top] = await pushLayout(client, readLayout(folder), REPOSITORY);
  if (top === undefined) throw new Error('nothing was pushed');
  return { ...top, platform: null };
}

export { imageParts };

/** What an action throws, or a plain error where it throws nothing. */
export async function thrownBy(action: () => unknown): Promise<{ name: string; code: string; message: string }> {
  try {
    await action();
  } catch (error) {
    const { name, message } = error as Error;
    return { name, code: String((error as { code?: string }).code), message };
  }
  return { name: 'none', code: 'none', message: 'nothing was thrown' };
}
