import { expect, it } from 'vitest';
import { ModuleList } from '../../../src/engine/command/moduleList';
import { FakeTarget } from './fakeTarget';

it('keeps the name of a module that a load event names again', async () => {
  const target = new FakeTarget();
  const modules = new ModuleList(target);
  const before = await modules.list();
  const driver = before.find(({ name }) => name !== 'nt');
  expect(driver).toBeDefined();
  if (!driver) return;
  modules.onEvent({
    kind: 'load',
    path: driver.path,
    base: driver.base,
    size: driver.size,
    checksum: driver.checksum,
  });
  expect((await modules.list()).map(({ name }) => name).sort()).toEqual(
    before.map(({ name }) => name).sort(),
  );
});
