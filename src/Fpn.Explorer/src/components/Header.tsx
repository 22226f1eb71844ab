import { useState } from 'preact/hooks';
import { chooseModel } from '../actions';
import { update, type Page, type State } from '../state';
import { Icon } from './graphics/Icon';

type Theme = 'auto' | 'light' | 'dark';

const themeName = 'fpn-theme';
const next: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };
const themeIcons = { auto: 'auto', light: 'sun', dark: 'moon' } as const;

const pages: [Page, string][] = [['pictures', 'Pictures'], ['server', 'Server']];

export function Header({ state }: { state: State }) {
  const [theme, setTheme] = useState<Theme>(() => apply(read()));
  return (
    <header>
      <a class="brand" href="./" aria-label="Fpn.Service explorer">
        <img src="explorer/icon.svg" alt="" width="28" height="28" />
        <span><b>Fpn.Service</b> <span class="wide">explorer</span></span>
      </a>
      <nav aria-label="Views" class="segments">
        {pages.map(([page, name]) => (
          <button type="button" key={page} aria-current={state.page === page ? 'page' : undefined} onClick={() => update({ page })}>{name}</button>
        ))}
      </nav>
      <span class="grow" />
      {state.models.length > 1 && (
        <label class="model">
          <span class="wide">Model</span>
          <select aria-label="Model" value={state.model} onChange={event => chooseModel(event.currentTarget.value)}>
            {state.models.map(({ name }) => <option key={name} value={name}>{name}</option>)}
          </select>
        </label>
      )}
      {state.models.length === 1 && <span class="model wide">Model <b>{state.model}</b></span>}
      <a class="plain" href="swagger">API</a>
      <button type="button" class="icon" aria-label={`Colors: ${theme}`} title={`Colors: ${theme}`} onClick={() => setTheme(apply(next[theme]))}>
        <Icon name={themeIcons[theme]} />
      </button>
    </header>
  );
}

function read(): Theme {
  const kept = localStorage.getItem(themeName);
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}

function apply(theme: Theme): Theme {
  document.documentElement.dataset['theme'] = theme;
  localStorage.setItem(themeName, theme);
  return theme;
}
