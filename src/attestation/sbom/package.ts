/** A package as one of the lists in an image names it. */
export interface Package {
  /** The purl type: which tool or language it belongs to. */
  type: 'deb' | 'apk' | 'npm' | 'pypi' | 'golang';
  name: string;
  /** null where the list gives none. */
  version: string | null;
  architecture: string | null;
  /** The package that it was built from, where that has another name or version: `gnutls28`, `util-linux 2.38.1-5`. */
  source: string | null;
  supplier: string | null;
}
