import { faultOf, offline, type Fault } from './fault';
import { boxesText, paths, queryOf, type Ask, type Question } from './question';
import type { AnyAnswer, Model, Problem, Sample, Settings } from './types';

const keyName = 'fpn-key';

/** The API key: kept until the tab is closed, and nowhere else. */
export const key = {
  get: (): string | null => sessionStorage.getItem(keyName),
  set: (value: string): void => sessionStorage.setItem(keyName, value),
};

export type Outcome<T> = { value: T } | { fault: Fault };

export interface AskOptions {
  /** What the service reads, for the words that refuse anything else. */
  formats: string[] | undefined;
  signal: AbortSignal;
  /** Share of the upload that is done, 0 to 1. */
  onProgress: (share: number) => void;
}

/** Asks for everything that the model finds; the page filters by itself. */
export function ask(
  picture: Blob,
  question: Question,
  { formats, signal, onProgress }: AskOptions,
): Promise<Outcome<AnyAnswer>> {
  // fetch does not report the progress of an upload.
  return new Promise(resolve => {
    const request = new XMLHttpRequest();
    request.open('POST', `${paths[question.about]}?${queryOf(question)}`);
    request.responseType = 'text';
    request.setRequestHeader('Accept', 'application/json');
    const value = key.get();
    if (value) {
      request.setRequestHeader('X-Api-Key', value);
    }

    request.upload.onprogress = event => event.lengthComputable && onProgress(event.loaded / event.total);
    request.upload.onload = () => onProgress(1);
    request.onload = () => resolve(read<AnyAnswer>(request.status, request.responseText, formats));
    request.onerror = () => resolve({ fault: offline() });
    request.onabort = () => resolve({ fault: offline() });
    signal.addEventListener('abort', () => request.abort());
    if (question.about === 'regions') {
      const form = new FormData();
      form.set('image', picture);
      form.set('boxes', boxesText(question.boxes));
      request.send(form);
    } else {
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      request.send(picture);
    }
  });
}

/** Asks for another format of an answer. */
export async function askAs(about: Ask, picture: Blob, query: URLSearchParams): Promise<Outcome<Blob>> {
  try {
    const response = await fetch(`${paths[about]}?${query}`, { method: 'POST', body: picture, headers: headers() });
    return response.ok ? { value: await response.blob() } : read(response.status, await response.text());
  } catch {
    return { fault: offline() };
  }
}

export const models = (): Promise<Outcome<{ models: Model[] }>> => getJson('models');

export const settings = (): Promise<Outcome<Settings>> => getJson('explorer/settings.json');

/** Where a sample lies. */
export const sampleUrl = ({ model, name }: Sample): string => `explorer/samples/${model}/${name}`;

export async function sample(wanted: Sample): Promise<Outcome<Blob>> {
  try {
    const response = await fetch(sampleUrl(wanted));
    return response.ok ? { value: await response.blob() } : read(response.status, await response.text());
  } catch {
    return { fault: offline() };
  }
}

/** The service's figures as text, or the status with which it refused. */
export async function metrics(): Promise<{ text: string } | { status: number }> {
  try {
    const response = await fetch('metrics', { headers: headers(), cache: 'no-store' });
    return response.ok ? { text: await response.text() } : { status: response.status };
  } catch {
    return { status: 0 };
  }
}

/** Whether the service is there and takes pictures. */
export async function isReady(): Promise<boolean> {
  try {
    return (await fetch('health/ready', { cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}

function headers(): HeadersInit {
  const value = key.get();
  return value ? { 'X-Api-Key': value } : {};
}

async function getJson<T>(path: string): Promise<Outcome<T>> {
  try {
    const response = await fetch(path, { headers: headers() });
    return read<T>(response.status, await response.text());
  } catch {
    return { fault: offline() };
  }
}

function read<T>(status: number, text: string, formats?: string[]): Outcome<T> {
  try {
    const body: unknown = JSON.parse(text);
    return status >= 200 && status < 300
      ? { value: body as T }
      : { fault: faultOf({ ...(body as Problem), status }, formats) };
  } catch {
    // A proxy's page, say.
    const detail = `The service answered with status ${status}.`;
    return { fault: faultOf({ type: 'http-error', title: '', status, detail }) };
  }
}
