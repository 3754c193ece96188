import { optionalText } from './inputs.ts';

/** Inputs that every command of a run has on the command line; in a pipeline the platform says what they say. */
export const runInputs = {
  run: optionalText({
    description: 'file of the local run, made by evidence-emit --type run.opened',
    value: 'FILE',
    cliOnly: true,
  }),
  child: optionalText({
    description: 'GitLab: repository whose pipeline this parent pipeline started, and for which it speaks',
    value: 'GROUP/PROJECT',
    cliOnly: true,
  }),
  key: optionalText({
    description: 'private key of this role, instead of the one that the contract names',
    value: 'file:KEY.pem',
    cliOnly: true,
  }),
};
