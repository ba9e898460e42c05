/*
 * SoftHSM2, which people would take for tests and small sites: signatures in this process, through
 * PKCS#11 (OASIS PKCS #11 v2.40, 5.11), with nothing around them. Its token is a folder that goes
 * with the program.
 */
#include "lib/first.h"

#include "config.h"

#include "bench/bench.h"

#ifdef HAVE_P11

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define PIN "bench-pin"

static const char *const modules[] = {
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
};

static CK_FUNCTION_LIST *p11;

struct token {
	CK_SLOT_ID slot;
	CK_OBJECT_HANDLE key;
	CK_MECHANISM_TYPE mechanism;
};

struct session {
	CK_SESSION_HANDLE handle;
};

static void
must(CK_RV rv, const char *what)
{
	if (rv != CKR_OK)
		fatal("SoftHSM2: %s: 0x%lx", what, rv);
}

static CK_UTF8CHAR *
utf8(const char *text)
{
	return (CK_UTF8CHAR *)(uintptr_t)text;
}

/* The settings of a token of its own, in a new folder. */
static char *
folder_new(struct arena *a)
{
	char *dir = arena_printf(a, "/tmp/tsb-bench-p11.XXXXXX");
	FILE *f;

	if (mkdtemp(dir) == NULL)
		fatal("no folder for SoftHSM2");
	f = fopen(arena_printf(a, "%s/conf", dir), "w");
	if (f == NULL)
		fatal("no settings for SoftHSM2");
	fprintf(f, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
	    dir);
	if (fclose(f) != 0)
		fatal("no settings for SoftHSM2");
	setenv("SOFTHSM2_CONF", arena_printf(a, "%s/conf", dir), 1);
	return dir;
}

static void
folder_remove(const char *dir)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", dir, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, NULL, 0);
}

static bool
module_open(void)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
	CK_C_GetFunctionList list = NULL;

	for (size_t i = 0; i < TSB_COUNT(modules) && list == NULL; i++) {
		void *module = dlopen(modules[i], RTLD_NOW | RTLD_LOCAL);

		if (module != NULL)
			*(void **)&list = dlsym(module, "C_GetFunctionList");
	}
	if (list == NULL)
		return false;
	must(list(&p11), "C_GetFunctionList");
	must(p11->C_Initialize(&args), "C_Initialize");
	return true;
}

static CK_SLOT_ID
first_slot(void)
{
	CK_SLOT_ID slots[8];
	CK_ULONG n = TSB_COUNT(slots);

	must(p11->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
	if (n == 0)
		fatal("SoftHSM2 has no slot");
	return slots[0];
}

static CK_SESSION_HANDLE
session_open(CK_SLOT_ID slot)
{
	CK_SESSION_HANDLE s;

	must(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s),
	    "C_OpenSession");
	return s;
}

/* A token with a user, who is logged in: a login holds for all sessions of the process. */
static CK_SLOT_ID
token_new(void)
{
	CK_UTF8CHAR label[32];
	CK_SESSION_HANDLE s;
	CK_SLOT_ID slot = first_slot();

	memset(label, ' ', sizeof(label));
	must(p11->C_InitToken(slot, utf8(PIN), strlen(PIN), label), "C_InitToken");
	slot = first_slot();
	s = session_open(slot);
	must(p11->C_Login(s, CKU_SO, utf8(PIN), strlen(PIN)), "C_Login");
	must(p11->C_InitPIN(s, utf8(PIN), strlen(PIN)), "C_InitPIN");
	must(p11->C_Logout(s), "C_Logout");
	must(p11->C_Login(s, CKU_USER, utf8(PIN), strlen(PIN)), "C_Login");
	return slot;
}

static CK_OBJECT_HANDLE
pair_new(CK_SLOT_ID slot, CK_MECHANISM_TYPE type)
{
	static unsigned char p256[] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
	CK_ULONG bits = 2048;
	CK_BBOOL yes = CK_TRUE;
	CK_MECHANISM mechanism = {type, NULL, 0};
	CK_ATTRIBUTE public[] = {{CKA_VERIFY, &yes, sizeof(yes)},
	    {CKA_MODULUS_BITS, &bits, sizeof(bits)}};
	CK_ATTRIBUTE private[] = {{CKA_SIGN, &yes, sizeof(yes)}, {CKA_TOKEN, &yes, sizeof(yes)},
	    {CKA_PRIVATE, &yes, sizeof(yes)}};
	CK_OBJECT_HANDLE other, key;

	if (type == CKM_EC_KEY_PAIR_GEN)
	public[1] = (CK_ATTRIBUTE){CKA_EC_PARAMS, p256, sizeof(p256)};
	must(p11->C_GenerateKeyPair(session_open(slot), &mechanism, public, TSB_COUNT(public),
		 private, TSB_COUNT(private), &other, &key),
	    "C_GenerateKeyPair");
	return key;
}

/* ---- the load ---- */

static void *
client_open(const void *shared)
{
	const struct token *t = shared;
	struct session *s = malloc(sizeof(*s));

	if (s == NULL)
		fatal("out of memory");
	s->handle = session_open(t->slot);
	return s;
}

static void
client_close(void *own)
{
	struct session *s = own;

	(void)p11->C_CloseSession(s->handle);
	free(s);
}

static bool
sign_step(struct bench_client *c, size_t i)
{
	const struct token *t = c->shared;
	const struct session *s = c->own;
	CK_MECHANISM mechanism = {t->mechanism, NULL, 0};
	unsigned char message[32] = {0}, signature[512];
	CK_ULONG n = sizeof(signature);

	memcpy(message, &i, sizeof(i));
	return p11->C_SignInit(s->handle, &mechanism, t->key) == CKR_OK &&
	    p11->C_Sign(s->handle, message, sizeof(message), signature, &n) == CKR_OK;
}

static void
measure(struct bench *b, const struct token *t, const char *name)
{
	for (size_t i = 0; i < TSB_COUNT(bench_steps); i++) {
		struct bench_load load = {name, bench_steps[i], b->seconds, 0, t, client_open,
		    client_close, sign_step, .here = true};

		bench_run(b, &load);
	}
}

void
bench_pkcs11(struct bench *b)
{
	struct arena a = {0};
	char *dir = folder_new(&a);

	if (module_open()) {
		CK_SLOT_ID slot = token_new();
		struct token ec = {slot, pair_new(slot, CKM_EC_KEY_PAIR_GEN), CKM_ECDSA};
		struct token rsa = {slot, pair_new(slot, CKM_RSA_PKCS_KEY_PAIR_GEN),
		    CKM_SHA256_RSA_PKCS};

		measure(b, &ec, "SoftHSM2: sign ECDSA P-256");
		measure(b, &rsa, "SoftHSM2: sign RSA-2048");
		must(p11->C_Finalize(NULL), "C_Finalize");
	} else {
		fputs("tsb-bench: no SoftHSM2 here (Debian: softhsm2), its rows are left out\n",
		    stderr);
	}
	folder_remove(dir);
	arena_clear(&a);
}

#else

void
bench_pkcs11(struct bench *b)
{
	(void)b;
	fputs("tsb-bench: built without PKCS#11 (Debian: libp11-kit-dev), SoftHSM2 is left out\n",
	    stderr);
}

#endif
