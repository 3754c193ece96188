/** A tool's pin: the committed files that name its version and the hash of everything that goes into it. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DebianTool, GoTool, PythonTool, Tool } from './catalogue.ts';
import { InstallError } from './failure.ts';

export type PinnedTool = Exclude<Tool, DebianTool>;

export interface Pin {
  /** Without a leading "v": 1.22.2 */
  version: string;
  /** 12 hexadecimal digits; another pin file, build option or platform gives another. */
  key: string;
}

/** Reads a tool's pin files. Throws an InstallError where they are missing or do not name the tool. */
export function readPin(tool: PinnedTool): Pin {
  const text = pinFiles(tool).map(readPinFile);
  const version = text[0]?.match(versionPattern(tool))?.[1];
  if (version === undefined) {
    throw brokenPin(`${pinPath(tool)} does not name a version of ${tool.name}`);
  }
  const { usedFor: _, seconds: __, group: ___, ...built } = tool;
  const inputs = JSON.stringify([built, text, process.platform, process.arch]);
  return { version, key: createHash('sha256').update(inputs).digest('hex').slice(0, 12) };
}

/** A tool's version for people; Debian's packages have that of the distribution. */
export function versionOf(tool: Tool): string {
  return tool.kind === 'debian' ? "Debian's" : readPin(tool).version;
}

/** The folder of a Go tool's module, where it is built, or a Python tool's lock file. */
export function pinPath(tool: PinnedTool): string {
  return tool.kind === 'go' ? inTools('go', tool.name) : inTools('python', `${tool.name}.txt`);
}

function pinFiles(tool: PinnedTool): string[] {
  if (tool.kind === 'python') return [pinPath(tool)];
  const own = tool.own ? ['main.go'] : [];
  return ['go.mod', 'go.sum', ...own].map((file) => join(pinPath(tool), file));
}

function readPinFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw brokenPin(`cannot read the pin ${file}: ${(cause as Error).message}`, cause);
  }
}

function brokenPin(message: string, cause?: unknown): InstallError {
  return new InstallError(message, { fix: 'restore it with git, or make it again (tools/README.md)', cause });
}

function versionPattern(tool: GoTool | PythonTool): RegExp {
  return tool.kind === 'go'
    ? new RegExp(`^(?:require )?\\s*${literal(tool.module)} v(\\S+)`, 'm')
    : new RegExp(`^${literal(tool.distribution ?? tool.name)}==(\\S+)`, 'm');
}

function literal(text: string): string {
  return text.replaceAll(/[.\\/-]/g, '\\$&');
}

/** Found by walking up, because this file also runs compiled, one folder deeper. */
function inTools(...path: string[]): string {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'package.json')) || !existsSync(join(root, 'tools'))) {
    if (dirname(root) === root) {
      throw new Error(`no package.json with a tools folder beside it above ${import.meta.dirname}`);
    }
    root = dirname(root);
  }
  return join(root, 'tools', ...path);
}
