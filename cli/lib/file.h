/* Files that a command names: read by what they hold, written so that nothing is lost. */
#ifndef TSB_CLI_LIB_FILE_H
#define TSB_CLI_LIB_FILE_H

#include "lib/base/arena.h"
#include "lib/base/bytes.h"
#include "lib/base/err.h"

/* The whole file, "-" = standard input, at most max bytes. Appends. */
int file_read(const char *path, size_t max, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The first line of a file, without its end. The text is the arena's. */
int file_read_line(const char *path, struct arena *a, const char **out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The bytes of a file or what they are as one line of base64, as tsb prints results. Not empty. */
int file_read_base64(const char *path, size_t max, struct arena *a, struct tsb_view *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* A public key or certificate, PEM or base64 or DER. */
int file_read_der(const char *path, struct arena *a, struct tsb_view *der, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The public key of such a file: SubjectPublicKeyInfo. cert (may be NULL) gets the certificate. */
int file_read_spki(const char *path, struct arena *a, struct tsb_view *spki, struct tsb_view *cert,
    struct tsb_err *err) TSB_MUSTCHECK;
/* A new file with these permissions; a file that exists is never replaced. Synced. */
int file_create(const char *path, unsigned mode, struct tsb_view content, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Writes or replaces at once: after a crash there is the old content or the new one. Synced. */
int file_replace(const char *path, unsigned mode, struct tsb_view content, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Writes or replaces: results that may be made again. */
int file_write(const char *path, struct tsb_view content, struct tsb_err *err) TSB_MUSTCHECK;

#endif
