import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../engine/base/errors';
import type { Body, Handler } from '../handler';
import { processorOf } from '../references';
import { threadArgument } from './common';

/** Names of the exception codes a kernel debugger meets most (NTSTATUS, from ntstatus.h). */
const names: Readonly<Record<number, string>> = {
  0x80000001: 'STATUS_GUARD_PAGE_VIOLATION',
  0x80000002: 'STATUS_DATATYPE_MISALIGNMENT',
  0x80000003: 'STATUS_BREAKPOINT',
  0x80000004: 'STATUS_SINGLE_STEP',
  0xc0000005: 'STATUS_ACCESS_VIOLATION',
  0xc0000006: 'STATUS_IN_PAGE_ERROR',
  0xc000001d: 'STATUS_ILLEGAL_INSTRUCTION',
  0xc000008c: 'STATUS_ARRAY_BOUNDS_EXCEEDED',
  0xc0000094: 'STATUS_INTEGER_DIVIDE_BY_ZERO',
  0xc0000095: 'STATUS_INTEGER_OVERFLOW',
  0xc0000096: 'STATUS_PRIVILEGED_INSTRUCTION',
  0xc00000fd: 'STATUS_STACK_OVERFLOW',
  0xc0000409: 'STATUS_STACK_BUFFER_OVERRUN',
  0xc0000420: 'STATUS_ASSERTION_FAILURE',
};

/** The exception the target stopped for. */
export const exceptionInfo: Handler<Body<DebugProtocol.ExceptionInfoResponse>> = {
  capabilities: { supportsExceptionInfoRequest: true },
  needsStop: true,
  run({ live }, args) {
    const processor = processorOf(threadArgument(live, args));
    const { stop } = live;
    if (stop?.exceptionCode === undefined || stop.processor !== processor) {
      throw new UserError(`Processor ${processor} did not stop for an exception.`);
    }
    const typeName = names[stop.exceptionCode];
    return {
      exceptionId: `0x${stop.exceptionCode.toString(16).padStart(8, '0')}`,
      description: stop.description,
      breakMode: stop.firstChance === false ? 'unhandled' : 'always',
      details: { message: stop.description, ...(typeName === undefined ? {} : { typeName }) },
    };
  },
};
