#include "lib/first.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/crypto/curve.h"
#include "lib/crypto/pq.h"
#include "lib/wire/names.h"

#include "cli/lib/help.h"

#define COLUMNS 80

/* ---- texts ---- */

#define EVERY NULL /* command of a group */

/* Where an option means something else, or has another default, than its row in option.h says. */
static const struct {
	const char *group, *name;
	enum cli_option option;
	const char *help;
} texts[] = {
    {"key", "create", OPT_ALGORITHM, "type of the key: RSA, EC, ED, AES ... [as --size, --curve]"},
    {"key", "create", OPT_SIZE, "of an RSA key [3072] or an AES key"},
    {"key", "create", OPT_TIMEOUT, "life of a request for the key, multiples of 60 [0: no end]"},
    {"key", "modify", OPT_TIMEOUT, "life of a request for the key, multiples of 60 [0: no end]"},
    {"key", "restrict", OPT_ATTRIBUTES, "what changes, as no-destroyable,sensitive"},
    {"key", "derive", OPT_ATTRIBUTES, "of the new key, as sign,no-derive [as the master's]"},
    {"key", "derive", OPT_PASSWORD_FILE, "password of the master, first line of FILE"},
    {"key", "export", OPT_OUT, "write the key there, mode 0600"},
    {"key", "export", OPT_PASSPHRASE_FILE, "passphrase for the new file, first line of FILE"},
    {"key", "import", OPT_ALGORITHM, "of a secret: AES, Camellia, ChaCha20, TDEA, HMACSHA256"},
    {"key", "import", OPT_CURVE, "of the key that --seed makes, by name or OID"},
    {"key", "import", OPT_PASSWORD_FILE, "password of the new key, first line of FILE"},
    {"key", "import", OPT_PASSPHRASE_FILE, "passphrase of the file, first line of FILE"},
    {"key", "import", OPT_TIMEOUT, "life of a request for the key, multiples of 60 [0: no end]"},
    {"key", "attest", OPT_OUT, "write the zip file there"},
    {"key", "attest", OPT_ATTESTATION_KEY, "check it with this key [$TSB_ATTESTATION_KEY]"},
    {"key", "attributes", OPT_OUT, "write them there"},
    {"data", "put", OPT_ATTRIBUTES, "private, modifiable, destroyable, each also as no-NAME"},
    {"data", "get", OPT_OUT, "write it there, mode 0600"},
    {"hmac", EVERY, OPT_OUT, "write the bytes of the keyed hash there"},
    {"encrypt", EVERY, OPT_ALGORITHM, "of the encryption, see below"},
    {"encrypt", EVERY, OPT_OUT, "write the encrypted bytes there instead of base64"},
    {"decrypt", EVERY, OPT_ALGORITHM, "of the encryption, see below"},
    {"decrypt", EVERY, OPT_OUT, "with --wait: write the decrypted bytes there"},
    {"sign", EVERY, OPT_OUT, "with --wait: write the bytes of the signature there"},
    {"file", "encrypt", OPT_OUT, "write the encrypted file there"},
    {"file", "decrypt", OPT_OUT, "write the decrypted file there, for the user alone"},
    {"timestamp", EVERY, OPT_ALGORITHM, "hash: SHA1, SHA224, SHA256, SHA384, SHA512 [SHA256]"},
    {"timestamp", EVERY, OPT_OUT, "write the token there, DER"},
    {"certificate", "show", OPT_OUT, "write the certificate there, PEM"},
    {"certificate", EVERY, OPT_OUT, "with --wait: write the PEM there"},
    {"approver", "new", OPT_TYPE,
	"rsa, p256, p384, p521, secp256k1, ed25519, ml-dsa-65 ... [p256]"},
    {"approver", "new", OPT_OUT, "folder for the key pair [this one]"},
    {"approver", "create", OPT_SIZE, "of the RSA key: 2048, 3072 or 4096 [3072]"},
    {"approver", "create", OPT_DAYS, "validity of the certificate [3650]"},
    {"approver", "create", OPT_QR, "write the code there as a QR code with name and address, PNG"},
    {"approver", "create", OPT_PASSWORD_FILE, "backup password, first line of FILE"},
    {"approver", "change-password", OPT_PASSWORD_FILE, "backup password, first line of FILE"},
    {"approver", "onboard", OPT_OUT, "write the key there, PKCS #12"},
    {"tasks", EVERY, OPT_REQUEST, "only tasks of this request"},
    {"approve", EVERY, OPT_REQUEST, "only tasks of this request"},
    {"reject", EVERY, OPT_REQUEST, "only tasks of this request"},
    {"request", "wait", OPT_OUT, "write the result there, decoded"},
    {"reject", EVERY, OPT_YES, "do not ask, neither whether nor why"},
    {"offline", EVERY, OPT_REQUEST, "id of the request, which a QR code left out"},
    {"offline", "export", OPT_OUT, "write the package there"},
    {"offline", "scan", OPT_OUT, "write what was scanned there"},
    {"offline", "run", OPT_OUT, "write the results there"},
};

static bool
is_of(const struct cli_command *row, const char *group, const char *name)
{
	return tsb_streq(row->group, group) &&
	    (name == EVERY || (row->name != NULL && tsb_streq(row->name, name)));
}

static const char *
option_help(struct cli *c, enum cli_option id)
{
	const char *variable = cli_token_variables[c->command->role];

	if (id == OPT_TOKEN && variable != NULL)
		return arena_printf(&c->arena, "API key; better $%s", variable);
	for (size_t i = 0; i < TSB_COUNT(texts); i++)
		if (texts[i].option == id && is_of(c->command, texts[i].group, texts[i].name))
			return texts[i].help;
	return option_rows[id].help;
}

/* ---- lists of names ---- */

/* A list under its title, broken into lines. */
struct names {
	const char *title; /* printed before the first name */
	size_t column;
};

static void
names_add(struct names *to, const char *name)
{
	size_t n = strlen(name) + 1;

	if (to->title != NULL)
		printf("\n%s:\n", to->title);
	if (to->column == 0 || to->column + n > COLUMNS) {
		printf("%s ", to->column == 0 ? "" : "\n");
		to->column = 1;
	}
	printf(" %s", name);
	to->column += n;
	to->title = NULL;
}

static void
names_end(const struct names *list)
{
	if (list->column != 0)
		printf("\n");
}

static void
print_names(const char *title, const char *const *names, size_t n)
{
	struct names list = {title, 0};

	for (size_t i = 0; i < n; i++)
		names_add(&list, names[i]);
	names_end(&list);
}

static const struct {
	const char *name, *type, *method, *identifier;
} schemes[] = {
#define SCHEME(name, type, method, input, hash, nid) {name, type, #method, #nid},
#include "lib/crypto/scheme_table.h"
#undef SCHEME
};

/* A name that is always refused is no choice. */
static bool
is_made(const char *method)
{
	return !tsb_streq(method, "NONE") && !tsb_streq(method, "UNPUBLISHED");
}

/* Whether type is or begins with what is asked for: "XMSS" has a type for each of its sets. */
static bool
fits_type(const char *type, const char *asked)
{
	size_t n = strlen(asked);

	return strncmp(type, asked, n) == 0 && (type[n] == '\0' || tsb_streq(asked, PQ_XMSS));
}

/* Those that this version makes; for certificates only those that X.509 has a name for. */
static void
print_schemes(const char *title, const char *type, bool certificates)
{
	struct names list = {title, 0};

	for (size_t i = 0; i < TSB_COUNT(schemes); i++)
		if (fits_type(schemes[i].type, type) && is_made(schemes[i].method) &&
		    !(certificates && tsb_streq(schemes[i].identifier, "NID_undef")))
			names_add(&list, schemes[i].name);
	names_end(&list);
}

static void
print_signatures(bool certificates)
{
	print_schemes("algorithms of RSA keys", "RSA", certificates);
	print_schemes("algorithms of EC keys", "EC", certificates);
	print_schemes("algorithms of ED keys", "ED", certificates);
	print_schemes("algorithms of DSA keys", "DSA", certificates);
	print_schemes("algorithms of ML-DSA keys", PQ_ML_DSA, certificates);
	print_schemes("algorithms of SLH-DSA keys", PQ_SLH_DSA, certificates);
	print_schemes("algorithms of HSS-LMS keys", "LMS", certificates);
	print_schemes("algorithms of XMSS keys", PQ_XMSS, certificates);
}

static void
list_signatures(void)
{
	print_signatures(false);
}

static void
list_certificates(void)
{
	print_signatures(true);
}

static void
list_ciphers(void)
{
	print_names("algorithms, of which the HSM offers some", names_cipher,
	    TSB_COUNT(names_cipher));
}

static void
list_methods(void)
{
	print_names("methods, of which the HSM offers some", names_wrap, TSB_COUNT(names_wrap));
}

static void
list_curves(void)
{
	struct names list = {"curves of EC keys", 0};
	const char *name;

	for (size_t i = 0; (name = curve_name(i)) != NULL; i++)
		names_add(&list, name);
	names_end(&list);
}

static const struct {
	const char *group, *name;
	void (*print)(void);
} lists[] = {
    {"key", "create", list_curves},
    {"key", "import", list_curves},
    {"sign", EVERY, list_signatures},
    {"verify", EVERY, list_signatures},
    {"encrypt", EVERY, list_ciphers},
    {"decrypt", EVERY, list_ciphers},
    {"wrap", EVERY, list_methods},
    {"unwrap", EVERY, list_methods},
    {"certificate", "request", list_certificates},
    {"certificate", "sign", list_certificates},
    {"certificate", "selfsign", list_certificates},
};

/* ---- pages ---- */

const char *
help_words(struct cli *c, const struct cli_command *row)
{
	return arena_printf(&c->arena, "%s%s%s ", row->group, row->name != NULL ? " " : "",
	    row->name != NULL ? row->name : "");
}

static const char *
synopsis(struct cli *c, const struct cli_command *row)
{
	return arena_printf(&c->arena, "%s%s", help_words(c, row), row->operands);
}

static int
wider(int width, const char *text)
{
	int n = (int)strlen(text);

	return n > width ? n : width;
}

void
help_commands(struct cli *c, const char *group)
{
	const struct cli_program *p = c->program;
	int width = 0;
	size_t i;

	for (i = 0; i < p->ncommands; i++)
		if (group == NULL || tsb_streq(group, p->commands[i].group))
			width = wider(width, synopsis(c, &p->commands[i]));

	printf("usage: %s %s%s[option...] [operand...]\n\n", p->name,
	    group != NULL ? group : "COMMAND", group != NULL ? " COMMAND " : " ");
	for (i = 0; i < p->ncommands; i++) {
		const struct cli_command *row = &p->commands[i];

		if (group == NULL || tsb_streq(group, row->group))
			printf("  %-*s  %s\n", width, synopsis(c, row), row->help);
	}
	printf("\n%s COMMAND --help shows the options of a command, %s all of it.\n", p->name,
	    p->manual);
}

static const char *
option_words(struct cli *c, const struct option_row *o)
{
	return arena_printf(&c->arena, "--%s%s%s", o->name, o->arg != NULL ? " " : "",
	    o->arg != NULL ? o->arg : "");
}

static void
print_options(struct cli *c, const char *title, struct option_set set, int width)
{
	if (set.server || set.common || set.own != 0)
		printf("\n%s:\n", title);
	for (int i = 0; i < OPT__MAX; i++) {
		const struct option_row *o = &option_rows[i];

		if (!option_in(&set, i))
			continue;
		if (o->letter)
			printf("  -%c, ", o->letter);
		else
			printf("      ");
		printf("%-*s  %s\n", width, option_words(c, o), option_help(c, i));
	}
}

void
help_command(struct cli *c)
{
	const struct cli_command *row = c->command;
	const struct option_set own = {.own = row->options}, common = {.common = true},
				server = {.server = row->role != TSB_ROLE_NONE};
	int width = 0;

	for (int i = 0; i < OPT__MAX; i++)
		if (option_in(&own, i) || option_in(&common, i) || option_in(&server, i))
			width = wider(width, option_words(c, &option_rows[i]));
	printf("usage: %s %s[option...]%s%s\n\n%s\n", c->program->name, help_words(c, row),
	    *row->operands != '\0' ? " " : "", row->operands, row->help);
	print_options(c, "options", own, width);
	for (size_t i = 0; i < TSB_COUNT(lists); i++)
		if (is_of(row, lists[i].group, lists[i].name))
			lists[i].print();
	print_options(c, "options of all commands", common, width);
	print_options(c, "options of commands that talk to the broker", server, width);
}
