import type { Problem } from './types';
import { fileSize, list } from './text';

/** A failure, in words for the person at the page. */
export interface Fault {
  /** The problem's type, or `offline`. Tests and styles may compare it. */
  kind: string;
  title: string;
  /** What to do next. */
  advice: string;
  /** Whether the same request can succeed later. */
  retry: boolean;
  /** The service's own words, for a closer look. */
  detail?: string;
}

type Words = [title: string, advice: string, retry?: 'retry'];

const words: Record<string, Words> = {
  'undecodable-image': [
    'The picture is damaged',
    'It begins like a picture but is cut off or broken. '
      + 'Open it in another program and save it again, or choose another.',
  ],
  'image-too-large': ['The file is too large', 'Save the picture smaller or with more compression and drop it again.'],
  'too-many-pixels': [
    'The picture has too many pixels',
    'Scale it down and drop it again; or, where you chose sizes to look at it in, choose smaller ones.',
  ],
  'too-many-views': ['That would be too many views', 'Choose larger slices, less overlap or fewer sizes, and look again.'],
  'too-many-regions': ['Too many boxes', 'Remove some of those you drew.'],
  'no-scales': ['This model resizes pictures itself', 'Leave the sizes empty and look again, or choose another model.'],
  'no-image': ['The file is empty', 'Choose another one.'],
  'queue-full': ['The service is busy', 'Its queue is full. Try again in a moment.', 'retry'],
  'shutting-down': ['The service is shutting down', 'Try again when it is back. Your pictures stay here.', 'retry'],
  'device-lost': ['The service lost its device', 'It is loading the model again. Try again in a moment.', 'retry'],
  'deadline-passed': ['The answer took too long', 'Too many pictures are ahead. Try again in a moment.', 'retry'],
  'body-too-slow': [
    'The upload was too slow', 'Try again over a faster connection, or with a smaller picture.', 'retry',
  ],
  'broken-multipart': ['The upload arrived broken', 'Try again.', 'retry'],
  'unknown-model': ['The model is gone', 'It was unloaded since this page was opened. Choose another model above.'],
  'model-output-not-finite': [
    'The model failed on this picture',
    'Its numbers are not finite: the service\'s operator should look at the model package.',
    'retry',
  ],
  'model-failure': ['The model failed on this picture', 'The reason is in the log of the service.', 'retry'],
};

const byStatus: Record<number, Words> = {
  401: ['The service asks for a key', 'Enter the key that you were given.', 'retry'],
  403: [
    'Your key does not allow this',
    'Ask the service\'s operator for a key with more rights, or enter another one.',
    'retry',
  ],
  429: ['Too many requests', 'Your key is over its rate. Try again in a moment.', 'retry'],
};

const unreadable = (formats: string[]): Words => [
  'This is not a picture the service can read',
  `It reads ${list(formats, 'and')}, whatever the file is called. Save the picture as one of these and drop it again.`,
];

/**
 * Words for a problem that the service answered with.
 * @param formats What the service reads, where a new picture was sent.
 */
export function faultOf(problem: Problem, formats?: string[]): Fault {
  const own = formats && problem.type === 'unsupported-image-format' ? unreadable(formats) : words[problem.type];
  const unknown: Words = ['The service refused the picture', problem.detail, 'retry'];
  const [title, advice, retry] = byStatus[problem.status] ?? own ?? unknown;
  const kind = problem.status === 401 ? 'key-needed' : problem.type;
  return { kind, title, advice, retry: retry === 'retry', detail: problem.detail };
}

/** Words for an answer that never came. */
export function offline(): Fault {
  return {
    kind: 'offline',
    title: 'The service does not answer',
    advice: 'It may have been stopped, or the connection is gone. Your pictures and results stay here; '
      + 'this page checks every few seconds whether it is back.',
    retry: true,
  };
}

/** Words for a file that need not be sent: the limit is known. */
export function tooLarge(bytes: number, limit: number): Fault {
  return {
    kind: 'image-too-large',
    title: 'The file is too large',
    advice: `It has ${fileSize(bytes)}; this service takes ${fileSize(limit)}. `
      + 'Save the picture smaller or with more compression and drop it again.',
    retry: false,
  };
}
