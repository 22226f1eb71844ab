import type { Reply, RegionQuestion } from './question';
import { percent } from './text';
import type { Box, Region, RegionResult, RegionsAnswer } from './types';

/** What the second stage made of a box; undefined until it has answered for the box as it is now. */
export function regionOf(
  reply: Reply<RegionQuestion, RegionsAnswer> | undefined, box: Box,
): RegionResult | undefined {
  return reply?.answer.regions[reply.asked.boxes.indexOf(box)];
}

/** "cat 91.5 %", "background 99.9 %", "not looked at" */
export function describeRegion(region: RegionResult, decimals = 1): string {
  if ('error' in region) {
    return 'not looked at';
  }

  const best = bestOf(region);
  return best ? `${best.label} ${percent(best.score, decimals)}` : `background ${percent(region.background, decimals)}`;
}

/** The best class, unless the background is likelier. */
export function bestOf({ scores, background }: Region): Region['scores'][number] | undefined {
  return scores[0] && scores[0].score >= background ? scores[0] : undefined;
}
