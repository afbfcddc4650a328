import { GenericContainer } from 'testcontainers';

/** A container as restricted Pod Security would have it: nothing of its file system can be written, no capability, no way to new rights. */
export class LockedContainer extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
    this.withDroppedCapabilities('ALL').withSecurityOpt('no-new-privileges');
  }
}
