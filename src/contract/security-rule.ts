import index from '../../controls/security-rule.json' with { type: 'json' };

/** Title of each section of the Security Rule that can be cited, and whether it is required or addressable. */
export const securityRule: Readonly<Record<string, { title: string; mark: string }>> = index.sections;
