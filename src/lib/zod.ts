import * as z from 'zod/mini';

/*
 * zod as everything here imports it: the functional API, of which the bundle keeps what is used, so that the judge starts fast.
 * It brings no language along. Without one, each message would be "Invalid input", so English is set where no schema can miss it.
 * And a process parses a handful of documents: compiling a parser for each schema costs more than it saves.
 */
z.config({ ...z.locales.en(), jitless: true });

export * from 'zod/mini';
