/** Property tests take a fresh seed on a developer's machine, where a find is welcome, and always the same one in CI. */
import fc from 'fast-check';

if (process.env['CI'] === 'true') fc.configureGlobal({ seed: 20_261_121 });
