/** Certificates for tests, in a configuration folder of their own. */
import {
  createCertificate,
  type CreatedCertificate,
} from '../../../../src/engine/remote/certificates/create';
import { temporaryFolder } from '../../../support/temporary';
import { later } from './hosted';

/** Until the end of the test: nothing of the user's is read or written. Returns the folder. */
export function ownConfiguration(): string {
  const folder = temporaryFolder();
  const name = process.platform === 'win32' ? 'APPDATA' : 'XDG_CONFIG_HOME';
  const before = process.env[name];
  process.env[name] = folder;
  later(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
  return folder;
}

export function newCertificate(name = 'lab'): Promise<CreatedCertificate> {
  return createCertificate(name);
}
