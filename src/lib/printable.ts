const ESCAPE = String.fromCharCode(27);

/**
 * Text for a terminal or a job's log: line feeds, tabs and colours stay, every other control character is shown as U+FFFD, and
 * what a CI runner would take for a command is marked: `::add-mask::` at the start of a line, `##[add-mask]` anywhere in it
 * (actions/runner, ActionCommand.cs). Reports, platforms and files are quoted in what we print, and none of them may speak to
 * the runner.
 */
export function printable(text: string): string {
  return text
    .replace(/\p{Cc}\[[0-9;]*m|[\p{Cc}\u2028\u2029]/gu, (found) =>
      found === '\n' || found === '\t' || (found.length > 1 && found.startsWith(ESCAPE))
        ? found
        : `\ufffd${found.slice(1)}`,
    )
    .replace(/^(?=\s*::)/gm, '· ')
    .replaceAll('##[', '##·[');
}
