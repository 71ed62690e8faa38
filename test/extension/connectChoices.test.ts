import { describe, expect, it } from 'vitest';
import type { DiscoveredServer } from '../../src/engine/remote/discovery';
import { connectGroups } from '../../src/extension/connectChoices';
import { judge } from '../../src/extension/discovery';

const own: DiscoveredServer = {
  label: 'ME - tcp:Port=1',
  clientString: 'tcp:Port=1,Server=ME',
  host: 'ME',
  origin: 'machine',
};
const lab: DiscoveredServer = {
  label: 'LAB7 - tcp:Port=2,Password=*',
  clientString: 'tcp:Port=2,Password=*,Server=10.0.0.7',
  host: 'LAB7',
  origin: 'network',
};
const recent = ['tcp:Port=2,Password=*,Server=10.0.0.7', 'npipe:Pipe=kd,Server=LAB8'];

function shown(value: string, found = [own, lab], used: readonly string[] = recent) {
  return connectGroups(value, found, used).map(({ title, choices }) => [
    title,
    ...choices.map(({ kind, remote }) => remote ?? kind),
  ]);
}

describe('what can be connected to', () => {
  it('lists found and remembered servers apart, none twice', () => {
    expect(shown('')).toEqual([
      ['Servers of this machine', own.clientString],
      ['Servers announced on the network', lab.clientString],
      ['Used before', recent[1]],
    ]);
  });

  it('narrows by what is typed, also by the name of a machine', () => {
    expect(shown('lab7')).toEqual([
      ['', 'problem'],
      ['Servers announced on the network', lab.clientString],
    ]);
    expect(shown('tcp:Port=2,Password=*,Server=10.0.0.7')).toEqual([['', lab.clientString]]);
  });

  it('says what to type when there is nothing', () => {
    expect(shown('', [], [])).toEqual([['', 'hint']]);
  });

  it('shows no password that is typed, and no icons of others', () => {
    const [typed] = connectGroups('tcp:Port=1,Password=Secret1,Server=h', [], []);
    expect(typed?.choices[0]).toMatchObject({ label: '$(plug) tcp:Port=1,Password=*,Server=h' });
    const [group] = connectGroups('', [{ ...lab, host: '$(verified) LAB' }], []);
    expect(group?.choices[0]?.description).toBe('\\$(verified) LAB');
  });

  it('believes announcements no more than links', () => {
    expect(judge(lab)).toEqual(lab);
    expect(judge({ ...lab, clientString: 'tcp:Port=2,Password=@/etc/passwd,Server=h' })?.clientString).toBe(
      'tcp:Port=2,Password=*,Server=h',
    );
    expect(judge({ ...lab, clientString: 'tcp:Port=2,Server=\u202eh' })).toBeUndefined();
    expect(judge(own)).toEqual(own);
  });
});
