import { describe, expect, it } from 'vitest';
import type { Me } from '@/api/types';
import { placeOf } from './api/get-me';
import { wantedPage } from './api/login';

describe('wantedPage', () => {
  it('leads back to where one was', () => {
    expect(wantedPage('/projects/1/settings/ai-training?status=failed')).toBe('/projects/1/settings/ai-training?status=failed');
  });

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', '', undefined, 5, '/api/me'])(
    'leads nowhere else by %s',
    (state) => {
      expect(wantedPage(state)).toBe('/');
    },
  );
});

describe('placeOf', () => {
  const me: Me = {
    id: 'me',
    name: 'Mia',
    organizations: [{ id: 'o', name: 'Org', role: null, projects: [{ id: 'p', name: 'Project', role: 'member' }] }],
  };

  it('knows what one may do in a project', () => {
    expect(placeOf(me, { kind: 'project', id: 'p' })).toMatchObject({ name: 'Project', mayChange: false });
  });

  it('does not know an organization that is only the place of a project', () => {
    expect(placeOf(me, { kind: 'organization', id: 'o' })).toBeUndefined();
    expect(placeOf(me, { kind: 'project', id: 'other' })).toBeUndefined();
  });
});
