import { describe, expect, it } from 'vitest';
import type { FrameInfo } from '../../../src/engine/session/protocol';
import { stopped } from './support';

const frames = Array.from({ length: 30 }, (_, index): FrameInfo => ({
  index,
  childSp: '0xfffff80000400000',
  instruction: `0xfffff8000000${(0x1000 + index * 16).toString(16)}`,
  returnAddress: '0xfffff80000002000',
  name: index === 29 ? '0xfffff80000002000' : `nt!Function${index}+0x4`,
  ...(index === 29 ? {} : { module: 'nt' }),
}));

async function withFrames() {
  const { session, client } = await stopped();
  session.answers.stack = ({ start, count }) => ({
    frames: frames.slice(start, start + count),
    more: start + count < frames.length,
  });
  session.answers.modules = () => ({
    modules: [
      {
        name: 'nt',
        imageName: 'demont.exe',
        path: '\\SystemRoot\\demont.exe',
        base: '0xfffff80000000000',
        size: 0x10000,
        timestamp: 0x5f000000,
        symbolStatus: 'exports',
      },
    ],
  });
  return { session, client };
}

describe('stackTrace', () => {
  it('gives the part that is asked for and says that there is more', async () => {
    const { session, client } = await withFrames();
    const { stackFrames, totalFrames } = await client.request('stackTrace', {
      threadId: 1,
      startFrame: 2,
      levels: 3,
    });
    expect(stackFrames).toHaveLength(3);
    expect(stackFrames[0]).toEqual({
      id: 3,
      name: 'nt!Function2+0x4',
      line: 0,
      column: 0,
      instructionPointerReference: '0xfffff80000001020',
      moduleId: '0xfffff80000000000',
      presentationHint: 'normal',
    });
    expect(totalFrames).toBeGreaterThan(5);
    expect(session.params('stack')).toEqual([{ processor: 0, start: 2, count: 3 }]);
  });

  it('gives all frames for no levels, and how many they are', async () => {
    const { client } = await withFrames();
    const { stackFrames, totalFrames } = await client.request('stackTrace', { threadId: 1 });
    expect(stackFrames).toHaveLength(30);
    expect(totalFrames).toBe(30);
    expect(stackFrames[29]).toMatchObject({ presentationHint: 'subtle' });
    expect(stackFrames[29].moduleId).toBeUndefined();
  });

  it('asks for the module list once', async () => {
    const { session, client } = await withFrames();
    await client.request('stackTrace', { threadId: 1, levels: 5 });
    await client.request('stackTrace', { threadId: 1, levels: 20 });
    expect(session.params('modules')).toHaveLength(1);
  });

  it('refuses a processor that is not there', async () => {
    const { client } = await withFrames();
    expect(await client.failure('stackTrace', { threadId: 2 })).toBe(
      "stackTrace: 'threadId' must be from 1 to 1.",
    );
  });

  it('answers notStopped while the target runs', async () => {
    const { session, client } = await withFrames();
    session.answers.stack = () => {
      throw new Error('This needs the target stopped.');
    };
    session.run();
    const answer = await client.response(client.send('stackTrace', { threadId: 1 }));
    expect(answer).toMatchObject({ success: false });
  });
});
