import { describe, expect, it } from 'vitest';
import type { ModuleRow } from '../../../src/engine/session/protocol';
import { stopped } from './support';

const row = (name: string, base: string): ModuleRow => ({
  name,
  imageName: `${name}.sys`,
  path: `\\SystemRoot\\${name}.sys`,
  base,
  size: 0x3000,
  timestamp: 0x1234,
  symbolStatus: 'deferred',
});

describe('modules', () => {
  it('lists them, in parts when asked', async () => {
    const { session, client } = await stopped();
    session.answers.modules = () => ({ modules: [row('nt', '0x1000'), row('demo', '0x9000')] });
    const { modules, totalModules } = await client.request('modules', { startModule: 1, moduleCount: 5 });
    expect(totalModules).toBe(2);
    expect(modules).toEqual([
      {
        id: '0x9000',
        name: 'demo.sys',
        path: '\\SystemRoot\\demo.sys',
        symbolStatus: 'deferred',
        addressRange: '0x9000 - 0xc000',
        dateTimeStamp: '0x00001234',
      },
    ]);
  });

  it('tells when they come and go', async () => {
    const { session, client } = await stopped();
    session.answers.modules = () => ({ modules: [row('nt', '0x1000')] });
    await client.request('modules');
    session.fire('module', { kind: 'load', module: row('demo', '0x9000') });
    expect(await client.waitFor('module')).toMatchObject({ reason: 'new', module: { id: '0x9000' } });
    session.fire('module', { kind: 'load', module: row('demo', '0x9000') });
    expect(await client.waitFor('module')).toMatchObject({ reason: 'changed', module: { id: '0x9000' } });
    session.fire('module', { kind: 'unload', module: row('demo', '0x9000') });
    expect(await client.waitFor('module')).toMatchObject({ reason: 'removed', module: { id: '0x9000' } });
    session.fire('module', { kind: 'unloadAll' });
    expect(await client.waitFor('module')).toMatchObject({ reason: 'removed', module: { id: '0x1000' } });
  });
});
