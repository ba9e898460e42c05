#include "lib/first.h"

#include "lib/wire/names.h"

const char *const names_signature[NAMES_SIGNATURE] = {
#define SCHEME(name, ...) name,
#include "lib/crypto/scheme_table.h"
#undef SCHEME
};

const char *const names_cipher[] = {
    "RSA_PADDING_OAEP_WITH_SHA512", "RSA_PADDING_OAEP_WITH_SHA384", "RSA_PADDING_OAEP_WITH_SHA256",
    "RSA_PADDING_OAEP_WITH_SHA224", "RSA_PADDING_OAEP_WITH_SHA1", "RSA_PADDING_OAEP", "RSA",
    "RSA_NO_PADDING", "RSA_PADDING_PKCS", "AES_GCM", "AES_CTR", "AES_ECB", "AES_CBC_NO_PADDING",
    "AES", "CHACHA20", "CHACHA20_AEAD", "CAMELLIA", "CAMELLIA_CBC_NO_PADDING", "CAMELLIA_ECB",
    "TDEA_CBC", "TDEA_ECB", "TDEA_CBC_NO_PADDING", "ECIES", /* of tsb-hsm (docs/hsm-api.md) */
};

const char *const names_payload[] = {
    "UNSPECIFIED",
    "ISO_20022",
    "PDF",
    "BTC",
    "ETH",
    "HEX",
};

const char *const names_form[] = {
    "DER",
    "ETH",
    "RAW",
};

const char *const names_wrap[] = {
    "AES_WRAP",
    "AES_WRAP_DSA",
    "AES_WRAP_EC",
    "AES_WRAP_ED",
    "AES_WRAP_RSA",
    "AES_WRAP_BLS",
    "AES_WRAP_PAD",
    "AES_WRAP_PAD_DSA",
    "AES_WRAP_PAD_EC",
    "AES_WRAP_PAD_ED",
    "AES_WRAP_PAD_RSA",
    "AES_WRAP_PAD_BLS",
    "RSA_WRAP_PAD",
    "RSA_WRAP_OAEP",
    "ML-KEM-512",
    "ML-KEM-768",
    "ML-KEM-1024",
};

const char *const names_usage[] = {
    "DIGITAL_SIGNATURE",
    "CONTENT_COMMITMENT",
    "KEY_ENCIPHERMENT",
    "DATA_ENCIPHERMENT",
    "KEY_AGREEMENT",
    "KEY_CERT_SIGN",
    "CRL_SIGN",
    "ENCIPHER_ONLY",
    "DECIPHER_ONLY",
};

const char *const names_extended_usage[] = {
    "ANY_EXTENDED_KEY_USAGE",
    "SERVER_AUTH",
    "CLIENT_AUTH",
    "CODE_SIGNING",
    "EMAIL_PROTECTION",
    "TIME_STAMPING",
    "OCSP_SIGNING",
};
