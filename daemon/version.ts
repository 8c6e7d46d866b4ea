/** The version of everything that is built from this tree; equals package.json's (a test holds them together). */
export const VERSION = '0.1.0';
