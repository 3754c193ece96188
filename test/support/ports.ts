import { type AddressInfo, createServer } from 'node:net';

/** Ports of 127.0.0.1 on which nobody listens, all different: for a program that takes a port and cannot choose one. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((each) => new Promise<void>((done) => void each.listen(0, '127.0.0.1', done))));
  const ports = servers.map((each) => (each.address() as AddressInfo).port);
  await Promise.all(servers.map((each) => new Promise((done) => void each.close(done))));
  return ports;
}
