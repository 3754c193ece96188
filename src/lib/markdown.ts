/** Text that others wrote, for a cell of a Markdown table: it must neither break the table nor become markup; its lines stay lines. */
export function cell(text: string): string {
  return text
    .replace(/[\\`*_{}[\]<>|#&]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/\r\n?|\n/g, '<br>');
}
