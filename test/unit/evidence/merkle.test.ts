import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { inclusionProof, leafHash, MerkleTree, rootFromProof, rootOf } from '../../../src/evidence/merkle.ts';

/** Leaf inputs and roots by tree size, the vectors of Certificate Transparency (transparency-dev/merkle, testonly/constants.go). */
const INPUTS = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** The definition of RFC 6962 section 2.1, word for word: another way to the same root. */
function definition(data: Buffer[]): Buffer {
  const sha256 = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
  if (data.length === 0) return sha256();
  if (data.length === 1) return sha256(Buffer.of(0), data[0] as Buffer);
  let k = 1;
  while (k * 2 < data.length) k *= 2;
  return sha256(Buffer.of(1), definition(data.slice(0, k)), definition(data.slice(k)));
}

const leaves = (n: number) => Array.from({ length: n }, (_, i) => Buffer.from(`leaf ${i}`));

describe('the Merkle tree', () => {
  it('has the published roots', () => {
    const data = INPUTS.map((hex) => Buffer.from(hex, 'hex'));
    expect(ROOTS.map((_, size) => rootOf(data.slice(0, size).map(leafHash)).toString('hex'))).toEqual(ROOTS);
  });

  it('grows to the root of the definition at every size', () => {
    const tree = new MerkleTree();
    for (const [i, leaf] of leaves(70).entries()) {
      tree.add(leafHash(leaf));
      expect([tree.size, tree.root()]).toEqual([i + 1, definition(leaves(i + 1))]);
    }
  });

  it('proves every leaf at every size', () => {
    for (let size = 1; size <= 40; size++) {
      const hashes = leaves(size).map(leafHash);
      for (const [index, hash] of hashes.entries()) {
        expect(rootFromProof(hash, index, size, inclusionProof(hashes, index))).toEqual(rootOf(hashes));
      }
    }
  });

  it('proves nothing that is not so: another leaf, index, size or path leads elsewhere', () => {
    const wrong = fc.tuple(
      fc.integer({ min: 2, max: 60 }),
      fc.nat(),
      fc.nat(),
      fc.constantFrom('leaf', 'index', 'short', 'long', 'bit'),
    );
    fc.assert(
      fc.property(wrong, ([size, a, b, what]) => {
        const hashes = leaves(size).map(leafHash);
        const index = a % size;
        const proof = inclusionProof(hashes, index);
        const other = (index + 1 + (b % (size - 1))) % size;
        const at = b % proof.length;
        const bent: { [what: string]: Parameters<typeof rootFromProof> } = {
          leaf: [hashes[other] as Buffer, index, size, proof],
          index: [hashes[index] as Buffer, other, size, proof],
          short: [hashes[index] as Buffer, index, size, proof.slice(1)],
          long: [hashes[index] as Buffer, index, size, [...proof, Buffer.alloc(32)]],
          bit: [
            hashes[index] as Buffer,
            index,
            size,
            proof.map((hash, i) => (i === at ? Buffer.from(hash.map((byte, j) => (j === 0 ? byte ^ 1 : byte))) : hash)),
          ],
        };
        return rootFromProof(...(bent[what] as Parameters<typeof rootFromProof>))?.equals(rootOf(hashes)) !== true;
      }),
    );
    expect(rootFromProof(Buffer.alloc(32), 3, 3, [])).toBeNull();
    expect(rootFromProof(Buffer.alloc(32), -1, 3, [])).toBeNull();
  });
});
