import { BadInput, CouldNot, Denied } from '../../lib/errors.ts';
import { parseYaml } from '../../lib/yaml.ts';
import { type GitlabApi, NEED } from './api.ts';
import type { Child } from './children.ts';
import { project as projectReply } from './replies.ts';

/** The file that a project's configuration is in where no setting says otherwise. */
export const USUAL_PATH = '.gitlab-ci.yml';
/** Files that a configuration may consist of, and bytes of each: far beyond what people write. */
const FILES = 100;
const BYTES = 1024 * 1024;

/**
 * Throws Denied `children.include` unless a repository's configuration is the same in every pipeline of its commit, at any time:
 * only then is what GitLab merges for us what the pipeline was made of. GitLab merges without a pipeline, so it leaves out what
 * an include's rules let in for some pipelines alone, and it follows a branch, tag, address or variable to where that leads
 * today. Included may therefore be files of the commit, each held to the same, and one of `components`, `project/name@commit`,
 * on the host that GitLab itself insists on. Inputs of a file can make any text of it (GitLab fills them in before it reads the
 * YAML), so no file of the repository may have them.
 */
export async function requireFixedConfiguration(
  api: GitlabApi,
  child: Child,
  components: readonly string[],
): Promise<void> {
  await requireUsualPath(api, child);
  const files = new Set([USUAL_PATH]);
  for (const file of files) {
    const what = `${file} of ${child.path} at ${child.sha}`;
    const bytes = await api.download({
      path: `/repository/files/${encodeURIComponent(file)}/raw?ref=${child.sha}`,
      what: `read ${what}`,
      need: NEED,
      limit: BYTES,
    });
    for (const entry of includesOf(bytes, what)) {
      const local = localFile(entry, what, components);
      if (local !== null) files.add(local);
    }
    if (files.size > FILES)
      throw new Denied(
        'children.include',
        `the configuration of ${child.path} has more than ${FILES} files: merge some`,
      );
  }
}

/** Another file, also one of another project, is not what is read here. Who may set it could set it back: see docs/gitlab.md. */
async function requireUsualPath(api: GitlabApi, { path }: Child): Promise<void> {
  const what = `read where ${path} has its configuration`;
  const { ci_config_path: setting } = await api.get({ path: '', schema: projectReply, what, need: NEED });
  if (setting === undefined)
    throw new CouldNot(
      'platform.incomplete',
      `could not ${what}: GitLab does not show ci_config_path; it takes ${NEED}`,
    );
  if (setting !== null && setting !== '' && setting !== USUAL_PATH)
    throw new Denied(
      'children.configuration',
      `${path} has its configuration in ${setting} (Settings › CI/CD › General pipelines): only ${USUAL_PATH} of the repository itself is of the reviewed commit for certain`,
    );
}

function includesOf(bytes: Uint8Array, what: string): unknown[] {
  const [content, ...more] = documentsOf(bytes, what);
  if (more.length > 0)
    throw new Denied(
      'children.include',
      `${what} has inputs (a header before ---), which can turn it into another file: write their values out`,
    );
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new Denied('children.configuration', `${what} holds no jobs`);
  // GitLab reads `:include` as a symbol, and symbols and texts as the same keys.
  const symbol = Object.keys(content).find((key) => key.startsWith(':'));
  if (symbol !== undefined)
    throw new Denied('children.include', `${what} has the key ${symbol}, which GitLab reads as ${symbol.slice(1)}`);
  const { include = [] } = content as { include?: unknown };
  return Array.isArray(include) ? include : [include];
}

function documentsOf(bytes: Uint8Array, what: string): unknown[] {
  try {
    return parseYaml(bytes, { what, code: 'children.configuration' }).documents.map((document) => document.toJS());
  } catch (cause) {
    if (cause instanceof BadInput) throw new Denied('children.configuration', cause.message, cause);
    throw cause;
  }
}

/** A plain path: no variable, no pattern, no address, no way up. */
const LOCAL = /^\/?(?:(?!\.\.?\/)[\w.-]+\/)*[\w.-]+\.ya?ml$/;
const HOST = /^[A-Za-z0-9.:-]+\//;

/** The file of the commit that an entry of `include` names, or null where it names a component that is known. */
function localFile(entry: unknown, what: string, components: readonly string[]): string | null {
  const { local, component, inputs, ...more } = Object(typeof entry === 'string' ? { local: entry } : entry);
  const alone = Object.keys(more).length === 0 && !JSON.stringify(entry).includes('$');
  if (alone && component === undefined && inputs === undefined && typeof local === 'string' && LOCAL.test(local))
    return local.replace(/^\//, '');
  if (alone && local === undefined && typeof component === 'string' && HOST.test(component))
    if (components.includes(component.replace(HOST, ''))) return null;
  throw new Denied(
    'children.include',
    `${what} includes ${JSON.stringify(entry)}: what that brings may differ from pipeline to pipeline, so what ran cannot be told; include files of the repository by their plain paths, and HOST/${components.join(' or HOST/')} with the host’s name in place of a variable; start everything else as a pipeline of its own (trigger: include)`,
  );
}
