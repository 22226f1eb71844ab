import { key } from './api';
import { parameters, type Filter } from './filter';
import type { Model } from './types';
import type { ViewChoice } from './views';

/** The command that asks for what is shown. The key is not in it: commands are passed on and kept in histories. */
export function curl(fileName: string, filter: Filter, model: Model, views: ViewChoice | undefined): string {
  const query = parameters(filter, model, views);

  // Without a trailing newline curl sends the file as it is; names that begin with @ or hold spaces are quoted alike.
  return [
    'curl',
    ...(key.get() ? ['-H "X-Api-Key: $FPN_KEY"'] : []),
    `--data-binary ${quote(`@${fileName}`)}`,
    quote(`${new URL('detect', document.baseURI).href}?${query}`),
  ].join(' \\\n  ');
}

/** For a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
