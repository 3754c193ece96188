/** Installed packages of languages, each described by a file of its own. */
import { fields, paragraphs } from './fields.ts';
import type { Package } from './package.ts';

/** An installed npm package from its package.json; null where that names no package. */
export function parseNpmManifest(text: string): Package | null {
  const manifest: unknown = tryJson(text);
  if (typeof manifest !== 'object' || manifest === null) return null;
  const { name, version } = manifest as { name?: unknown; version?: unknown };
  return typeof name === 'string' && name !== '' && typeof version === 'string' ? named('npm', name, version) : null;
}

/** An installed Python distribution from METADATA or PKG-INFO (PyPA, core metadata); null where that names none. */
export function parsePythonMetadata(text: string): Package | null {
  const field = fields(paragraphs(text)[0] ?? '');
  const name = field.get('name');
  // How purls write names of PyPI, which does not tell these apart.
  return name === undefined || name === ''
    ? null
    : named('pypi', name.toLowerCase().replaceAll('_', '-'), field.get('version') ?? null);
}

function named(type: 'npm' | 'pypi', name: string, version: string | null): Package {
  return { type, name, version, architecture: null, source: null, supplier: null };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
