import { redact } from '../../evidence/redact.ts';
import { BadInput, CouldNot, Denied, type GatehouseError, messageOf } from '../../lib/errors.ts';

/** What an API server said instead of yes: its HTTP status and the reason and message of its Status. */
export interface Said {
  status: number;
  reason: string;
  message: string;
}

/**
 * The error for what an API server said. `what` was asked, after "could not"; `cluster` is its name in contract.yml. The server's
 * own message is shown, because only it says which rule of the cluster refused, but for secrets.
 */
export function refusalOf({ status, reason, message }: Said, what: string, cluster: string): GatehouseError {
  const said = `could not ${what}: cluster ${cluster} answered ${status}: ${message}`;
  if (status === 401)
    return new CouldNot(
      'kubernetes.unauthorized',
      `could not ${what}: cluster ${cluster} does not know the token (401): it has expired or is of another cluster; give a fresh one`,
    );
  if (ADMISSION.test(message)) return new Denied('deploy.admission', said);
  if (status === 403)
    return new CouldNot('kubernetes.forbidden', `${said}; give the deploy identity the role of docs/deploy.md`);
  if (status === 404 && message.startsWith('namespaces '))
    return new BadInput('kubernetes.namespace', `${said}; create the namespace first, or correct the target`);
  if (status === 404) return new CouldNot('kubernetes.missing', said);
  if (status === 409)
    return new CouldNot('kubernetes.conflict', `${said}; somebody changed it at the same time: look at what is there`);
  if (status === 400 || status === 422 || reason === 'Invalid' || UNTYPED.test(message))
    return new BadInput('manifest.invalid', `${said}; correct the manifest`);
  return new CouldNot('kubernetes.failed', `${said}; try again, with a new decision where this one is used up`);
}

/** Webhooks choose their own status; these are the words of the API server around their refusal and around a policy's. */
const ADMISSION =
  /admission webhook .* denied the request|ValidatingAdmissionPolicy .* denied request|violates PodSecurity/;

/** Server-side apply answers 500 to a manifest that does not fit the kind's schema. */
const UNTYPED = /failed to create typed patch object|field not declared in schema/;

/**
 * A message of a server as it may be shown: cut, and without the token, what looks like a secret, and whole objects that it quotes,
 * in which the values of variables stand.
 */
export function shown(message: string, token: string): string {
  const quoted = message.replace(/(\w+ value): [{[].*[}\]]: /gs, '$1: ');
  return redact(quoted.replaceAll(token, '[redacted:token]')).value.slice(0, 1000);
}

/** Causes of a TLS connection that fails because another server answers than the one that the contract describes. */
const STRANGER =
  /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|CERT_REJECTED|CERT_NOT_YET_VALID|CERT_HAS_EXPIRED|INVALID_PURPOSE|INVALID_CA|ERR_TLS_CERT_ALTNAME_INVALID)$/;

/** Why the server is not the contract's, if that is why no answer came; else null. */
export function strangerIn(thrown: unknown): string | null {
  const cause = thrown instanceof CouldNot ? (thrown.cause as NodeJS.ErrnoException | undefined) : undefined;
  return cause !== undefined && STRANGER.test(String(cause.code)) ? messageOf(cause) : null;
}
