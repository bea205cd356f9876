// A regular expression of PCRE2 over octets that come in pieces. The library is loaded by the first pattern, not linked: who has no `regex`
// does not pay for it.
#pragma once
#include <stddef.h>
#include <stdint.h>

struct ek_regex; // a pattern, and how far it has been looked for

enum ek_regex_answer {
    EK_REGEX_WAIT,     // not found so far
    EK_REGEX_FOUND,
    EK_REGEX_NOWHERE,  // and it cannot come any more
    EK_REGEX_TOO_HARD, // the match took too many steps, or too much memory
    EK_REGEX_TOO_LONG, // what may yet become a match is longer than EK_REGEX_WINDOW
    EK_REGEX_BAD_TEXT  // not UTF-8, with the option `utf`
};

// The most octets that are kept because a match may have begun in them.
enum { EK_REGEX_WINDOW = 1 << 20 };

// The bit of an option by keepalived's name of it; 0 = there is none.
uint32_t ek_regex_option(const char *name);
// 1: PCRE2 refuses the pattern, with the reason in `problem`. 0: it does not, or there is no PCRE2 here.
int ek_regex_is_refused(const char *pattern, uint32_t options, char *problem, size_t capacity);
// NULL when the library cannot be loaded or refuses the pattern, with the reason in `problem`. A match begins at an octet from `first` to
// `last`; SIZE_MAX = no end.
struct ek_regex *ek_regex_new(const char *pattern, uint32_t options, size_t first, size_t last, char *problem, size_t capacity);
// The next octets. Answers that are not EK_REGEX_WAIT stay.
enum ek_regex_answer ek_regex_feed(struct ek_regex *regex, const void *octets, size_t count);
// There are no more: never EK_REGEX_WAIT.
enum ek_regex_answer ek_regex_finish(struct ek_regex *regex);
void ek_regex_free(struct ek_regex *regex);
