/* Files that a command names: read by what they hold, written so that nothing is lost. */
#ifndef TSB_CLI_LIB_FILE_H
#define TSB_CLI_LIB_FILE_H

#include "lib/base/arena.h"
#include "lib/base/bytes.h"
#include "lib/base/err.h"

/* Appends the whole file, "-" = standard input. TSB_E_INPUT when it is longer than max bytes. */
int file_read(const char *path, size_t max, struct tsb_bytes *out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The first line of a file, without its end. The text is the arena's. */
int file_read_line(const char *path, struct arena *a, const char **out, struct tsb_err *err)
    TSB_MUSTCHECK;
/* The bytes of a file, decoded when they are base64, as tsb prints results. Never empty. */
int file_read_base64(const char *path, size_t max, struct arena *a, struct tsb_view *out,
    struct tsb_err *err) TSB_MUSTCHECK;
/* A certificate request, PEM (of several blocks the first that fits) or base64 or DER. */
int file_read_csr(const char *path, struct arena *a, struct tsb_view *der, struct tsb_err *err)
    TSB_MUSTCHECK;
/*
 * SubjectPublicKeyInfo of a public key or certificate, PEM, base64 or DER; of several the first, of
 * a chain its leaf, which a note tells. cert (may be NULL) gets the certificate. TSB_E_READING_PEM,
 * TSB_E_PARSING_KEY.
 */
int file_read_spki(const char *path, struct arena *a, struct tsb_view *spki, struct tsb_view *cert,
    struct tsb_err *err) TSB_MUSTCHECK;
/* The certificate of this key among those of the file; TSB_E_INVALID_CERTIFICATE without one. */
int file_read_certificate(const char *path, struct tsb_view spki, struct arena *a,
    struct tsb_view *cert, struct tsb_err *err) TSB_MUSTCHECK;
/* Creates a file with these permissions and syncs it; never replaces one. */
int file_create(const char *path, unsigned mode, struct tsb_view content, struct tsb_err *err)
    TSB_MUSTCHECK;
/* Creates or replaces, synced: after a crash the file has the old content or the new one. */
int file_replace(const char *path, unsigned mode, struct tsb_view content, struct tsb_err *err)
    TSB_MUSTCHECK;
/* A new name is on the disk when its folder is. path is for the message. */
int file_sync_folder(int dir, const char *path, struct tsb_err *err) TSB_MUSTCHECK;
/* Who may read what is written. */
enum file_secrecy {
	FILE_PUBLIC, /* as the umask says, or as before */
	FILE_SECRET /* the user alone: 0600 */
};
/*
 * Writes what an option such as --out names: creates or replaces a file, synced, or writes to a
 * device, a pipe, or "-" = standard output. A symbolic link is refused with TSB_E_IO, other links
 * keep the old content.
 */
int file_write(const char *path, enum file_secrecy secrecy, struct tsb_view content,
    struct tsb_err *err) TSB_MUSTCHECK;

#endif
