import { cell } from '../../../src/lib/markdown.ts';

it.each([
  ['a table’s end', 'a|b', 'a&#124;b'],
  ['markup', '<b>[x](y)`', '&#60;b&#62;&#91;x&#93;(y)&#96;'],
  ['a new row', 'a\n| b |', 'a<br>&#124; b &#124;'],
  ['other line ends', 'a\r\nb\rc', 'a<br>b<br>c'],
])('a cell makes of %s words', (_, text, made) => {
  expect(cell(text)).toBe(made);
});
