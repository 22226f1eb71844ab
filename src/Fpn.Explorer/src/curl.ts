import { key } from './api';
import { parameters, type Filter } from './filter';
import { boxesText, paths, queryOf, type ProposalQuestion, type RegionQuestion } from './question';
import type { Model } from './types';
import type { ViewChoice } from './views';

/** The command that asks for the detections that are shown. */
export function curl(fileName: string, filter: Filter, model: Model, views: ViewChoice | undefined): string {
  return command(body(fileName), paths.detections, parameters(filter, model, views));
}

/** The command that asks a stage alone the same. */
export function curlOf(fileName: string, question: ProposalQuestion | RegionQuestion, model: Model): string {
  const query = queryOf(question);
  if (model.isDefault) {
    query.delete('model');
  }

  const sent = question.about === 'regions'
    ? form({ image: `@"${fileName.replaceAll(/["\\]/g, String.raw`\$&`)}"`, boxes: boxesText(question.boxes) })
    : body(fileName);
  return command(sent, paths[question.about], query);
}

function form(parts: Record<string, string>): string[] {
  return Object.entries(parts).map(([name, value]) => `-F ${quote(`${name}=${value}`)}`);
}

/** Without a trailing newline curl sends the file as it is; names that begin with @ or hold spaces are no exception. */
function body(fileName: string): string[] {
  return [`--data-binary ${quote(`@${fileName}`)}`];
}

/** The key is not in it: commands are passed on and kept in histories. */
function command(sent: string[], path: string, query: URLSearchParams): string {
  const address = new URL(path, document.baseURI).href;
  return [
    'curl',
    ...(key.get() ? ['-H "X-Api-Key: $FPN_KEY"'] : []),
    ...sent,
    quote(query.size > 0 ? `${address}?${query}` : address),
  ].join(' \\\n  ');
}

/** For a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
