/**
 * The groups of a TLS key exchange, where we answer. OpenSSL offers more by itself: one ClientHello that asks for ffdhe8192 costs whoever answers it a
 * tenth of a second, and may be sent again and again by somebody who computes nothing. These two cost less than a millisecond.
 */
export const KEY_EXCHANGE_GROUPS = 'X25519:P-256';
