/* The words, bytes as words and the way back. */
#include "lib/first.h"

#include "lib/base/zip.h"
#include "lib/qr/words.h"

/*
 * In the order of the alphabet, as BCR-2020-012 has them: first and last letters are unique
 * together.
 */
/* clang-format off */
const char qr_words[256][5] = {
	"able", "acid", "also", "apex", "aqua", "arch", "atom", "aunt",
	"away", "axis", "back", "bald", "barn", "belt", "beta", "bias",
	"blue", "body", "brag", "brew", "bulb", "buzz", "calm", "cash",
	"cats", "chef", "city", "claw", "code", "cola", "cook", "cost",
	"crux", "curl", "cusp", "cyan", "dark", "data", "days", "deli",
	"dice", "diet", "door", "down", "draw", "drop", "drum", "dull",
	"duty", "each", "easy", "echo", "edge", "epic", "even", "exam",
	"exit", "eyes", "fact", "fair", "fern", "figs", "film", "fish",
	"fizz", "flap", "flew", "flux", "foxy", "free", "frog", "fuel",
	"fund", "gala", "game", "gear", "gems", "gift", "girl", "glow",
	"good", "gray", "grim", "guru", "gush", "gyro", "half", "hang",
	"hard", "hawk", "heat", "help", "high", "hill", "holy", "hope",
	"horn", "huts", "iced", "idea", "idle", "inch", "inky", "into",
	"iris", "iron", "item", "jade", "jazz", "join", "jolt", "jowl",
	"judo", "jugs", "jump", "junk", "jury", "keep", "keno", "kept",
	"keys", "kick", "kiln", "king", "kite", "kiwi", "knob", "lamb",
	"lava", "lazy", "leaf", "legs", "liar", "limp", "lion", "list",
	"logo", "loud", "love", "luau", "luck", "lung", "main", "many",
	"math", "maze", "memo", "menu", "meow", "mild", "mint", "miss",
	"monk", "nail", "navy", "need", "news", "next", "noon", "note",
	"numb", "obey", "oboe", "omit", "onyx", "open", "oval", "owls",
	"paid", "part", "peck", "play", "plus", "poem", "pool", "pose",
	"puff", "puma", "purr", "quad", "quiz", "race", "ramp", "real",
	"redo", "rich", "road", "rock", "roof", "ruby", "ruin", "runs",
	"rust", "safe", "saga", "scar", "sets", "silk", "skew", "slot",
	"soap", "solo", "song", "stub", "surf", "swan", "taco", "task",
	"taxi", "tent", "tied", "time", "tiny", "toil", "tomb", "toys",
	"trip", "tuna", "twin", "ugly", "undo", "unit", "urge", "user",
	"vast", "very", "veto", "vial", "vibe", "view", "visa", "void",
	"vows", "wall", "wand", "warm", "wasp", "wave", "waxy", "webs",
	"what", "when", "whiz", "wolf", "work", "yank", "yawn", "yell",
	"yoga", "yurt", "zaps", "zero", "zest", "zinc", "zone", "zoom",
};
/* clang-format on */

void
qr_words_format(struct tsb_view bytes, const char *separator, struct tsb_bytes *out)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (i > 0)
			tsb_bytes_add_str(out, separator);
		tsb_bytes_add_str(out, qr_words[bytes.p[i]]);
	}
}

static void
add_minimal(struct tsb_view bytes, struct tsb_bytes *out)
{
	unsigned char *p = tsb_bytes_grow(out, 2 * bytes.n);

	for (size_t i = 0; i < bytes.n; i++) {
		*p++ = (unsigned char)(qr_words[bytes.p[i]][0] - 'a' + 'A');
		*p++ = (unsigned char)(qr_words[bytes.p[i]][3] - 'a' + 'A');
	}
}

void
qr_words_minimal(struct tsb_view bytes, struct tsb_bytes *out)
{
	uint32_t crc = tsb_crc32(bytes);
	unsigned char check[] = {(unsigned char)(crc >> 24), (unsigned char)(crc >> 16),
	    (unsigned char)(crc >> 8), (unsigned char)crc};

	add_minimal(bytes, out);
	add_minimal(tsb_view_of(check, sizeof(check)), out);
}

/* 0 to 25, or -1. */
static int
letter(unsigned char c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' : -1;
}

bool
qr_words_minimal_decode(struct tsb_view text, struct arena *a, struct tsb_view *bytes)
{
	static short value[26][26]; /* byte + 1, 0 = no word */
	size_t n = text.n / 2;
	unsigned char *p;
	uint32_t crc;

	for (int i = 0; !value[25][12] && i < 256; i++) /* until zoom, the last word, is there */
		value[qr_words[i][0] - 'a'][qr_words[i][3] - 'a'] = (short)(i + 1);
	if (text.n % 2 != 0 || n <= 4)
		return false;
	p = arena_alloc(a, n);
	for (size_t i = 0; i < n; i++) {
		int first = letter(text.p[2 * i]), last = letter(text.p[2 * i + 1]);

		if (first < 0 || last < 0 || !value[first][last])
			return false;
		p[i] = (unsigned char)(value[first][last] - 1);
	}
	n -= 4;
	crc = (uint32_t)p[n] << 24 | (uint32_t)p[n + 1] << 16 | (uint32_t)p[n + 2] << 8 | p[n + 3];
	*bytes = tsb_view_of(p, n);
	return crc == tsb_crc32(*bytes);
}
