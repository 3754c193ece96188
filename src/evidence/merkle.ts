import { createHash } from 'node:crypto';

/*
 * Merkle tree of RFC 6962 section 2.1: leaf hash SHA-256(0x00 ‖ data), node hash SHA-256(0x01 ‖ left ‖ right), a tree of n
 * leaves split at the largest power of two below n, the empty tree SHA-256 of nothing.
 */

/** Hash of one leaf, 32 bytes. */
export function leafHash(data: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(0)).update(data).digest();
}

function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

/** A growing tree that knows its root at every size in logarithmic space: the roots of its perfect subtrees, largest first. */
export class MerkleTree {
  size = 0;
  readonly #subtrees: { height: number; hash: Buffer }[] = [];

  add(leaf: Buffer): void {
    let added = { height: 0, hash: leaf };
    for (let last = this.#subtrees.at(-1); last?.height === added.height; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      added = { height: added.height + 1, hash: nodeHash(last.hash, added.hash) };
    }
    this.#subtrees.push(added);
    this.size += 1;
  }

  root(): Buffer {
    const hashes = this.#subtrees.map((subtree) => subtree.hash);
    return hashes.length === 0
      ? createHash('sha256').digest()
      : hashes.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** Root over these leaf hashes. */
export function rootOf(leaves: readonly Buffer[]): Buffer {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.add(leaf);
  return tree.root();
}

/** Audit path of leaf `index` (RFC 6962 section 2.1.1), nearest sibling first. */
export function inclusionProof(leaves: readonly Buffer[], index: number): Buffer[] {
  if (leaves.length <= 1) return [];
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return index < split
    ? [...inclusionProof(leaves.slice(0, split), index), rootOf(leaves.slice(split))]
    : [...inclusionProof(leaves.slice(split), index - split), rootOf(leaves.slice(0, split))];
}

/** The root that a leaf hash and its audit path lead to in a tree of `size` leaves, or null when the path has the wrong length. */
export function rootFromProof(leaf: Buffer, index: number, size: number, proof: readonly Buffer[]): Buffer | null {
  if (index < 0 || index >= size) return null;
  if (size === 1) return proof.length === 0 ? leaf : null;
  const sibling = proof.at(-1);
  if (sibling === undefined) return null;
  const split = 2 ** Math.floor(Math.log2(size - 1));
  const rest = proof.slice(0, -1);
  const inner =
    index < split ? rootFromProof(leaf, index, split, rest) : rootFromProof(leaf, index - split, size - split, rest);
  if (inner === null) return null;
  return index < split ? nodeHash(inner, sibling) : nodeHash(sibling, inner);
}
