#define PCRE2_CODE_UNIT_WIDTH 8
#include "ek_regex.h"
#include "ek_library.h"
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// The calls that are used, by the types of the headers this was built with.
#define CALLS(X)                                                                                                                 \
    X(pcre2_compile_8)                                                                                                           \
    X(pcre2_code_free_8)                                                                                                         \
    X(pcre2_pattern_info_8)                                                                                                      \
    X(pcre2_match_context_create_8)                                                                                              \
    X(pcre2_match_context_free_8)                                                                                                \
    X(pcre2_set_match_limit_8)                                                                                                   \
    X(pcre2_set_callout_8)                                                                                                       \
    X(pcre2_set_heap_limit_8)                                                                                                    \
    X(pcre2_match_data_create_8)                                                                                                 \
    X(pcre2_match_data_free_8)                                                                                                   \
    X(pcre2_get_ovector_pointer_8)                                                                                               \
    X(pcre2_get_error_message_8)                                                                                                 \
    X(pcre2_match_8)

#define MEMBER(name) __typeof__(&name) name;
#define NAME(name) #name,
static const char *const names[] = {CALLS(NAME)};
static struct {
    CALLS(MEMBER)
} api;
static void *library;

// Backtracking steps from one place in a body.
static const uint32_t step_limit = 1000000;
// Of this thread, for one body. PCRE2 counts its steps anew at each place where a match may begin, and a step may run through the whole body:
// `[a-z]+[0-9]` on a megabyte of letters takes minutes.
static const int64_t time_limit_nanoseconds = 200000000;
// KiB.
static const uint32_t heap_limit = 16384;

struct ek_regex {
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_match_data *data;
    int is_utf, is_firstline;
    size_t lookbehind; // octets before the start of a match that may be looked at
    size_t first, last;
    unsigned char *text;
    size_t length, capacity;
    size_t dropped; // octets of the whole that were before `text`
    size_t start;   // where in `text` a match may begin
    size_t searched; // length of `text` at the last search
    int64_t spent_nanoseconds, began_nanoseconds; // in searches that ended, and when this one began
    unsigned callouts;
    enum ek_regex_answer answer;
};

static int load(char *problem, size_t capacity) {
    if (library == NULL)
        library = ek_library_load("libpcre2-8.so.0", names, sizeof names / sizeof *names, &api, problem, capacity);
    return library != NULL;
}

uint32_t ek_regex_option(const char *name) {
    static const struct {
        const char *name;
        uint32_t bit;
    } options[] = {
        {"allow_empty_class", PCRE2_ALLOW_EMPTY_CLASS}, {"alt_bsux", PCRE2_ALT_BSUX},
        {"auto_callout", PCRE2_AUTO_CALLOUT}, {"caseless", PCRE2_CASELESS},
        {"dollar_endonly", PCRE2_DOLLAR_ENDONLY}, {"dotall", PCRE2_DOTALL},
        {"dupnames", PCRE2_DUPNAMES}, {"extended", PCRE2_EXTENDED},
        {"firstline", PCRE2_FIRSTLINE}, {"match_unset_backref", PCRE2_MATCH_UNSET_BACKREF},
        {"multiline", PCRE2_MULTILINE}, {"never_ucp", PCRE2_NEVER_UCP},
        {"never_utf", PCRE2_NEVER_UTF}, {"no_auto_capture", PCRE2_NO_AUTO_CAPTURE},
        {"no_auto_possess", PCRE2_NO_AUTO_POSSESS}, {"no_dotstar_anchor", PCRE2_NO_DOTSTAR_ANCHOR},
        {"no_start_optimize", PCRE2_NO_START_OPTIMIZE}, {"ucp", PCRE2_UCP},
        {"ungreedy", PCRE2_UNGREEDY}, {"utf", PCRE2_UTF},
        {"never_backslash_c", PCRE2_NEVER_BACKSLASH_C}, {"alt_circumflex", PCRE2_ALT_CIRCUMFLEX},
        {"alt_verbnames", PCRE2_ALT_VERBNAMES}, {"use_offset_limit", PCRE2_USE_OFFSET_LIMIT},
    };
    for (size_t index = 0; index < sizeof options / sizeof options[0]; index++) {
        if (strcmp(options[index].name, name) == 0) return options[index].bit;
    }
    return 0;
}

static int64_t thread_nanoseconds(void) {
    struct timespec time;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) != 0) return 0;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// Before each item of the pattern, at each place where it is tried.
static int on_item(pcre2_callout_block *block, void *context) {
    (void)block;
    struct ek_regex *regex = context;
    if (++regex->callouts % 64 != 0) return 0;
    const int64_t spent = regex->spent_nanoseconds + thread_nanoseconds() - regex->began_nanoseconds;
    return spent > time_limit_nanoseconds ? PCRE2_ERROR_CALLOUT : 0;
}

// NULL with the reason in `problem`.
static pcre2_code *compile(const char *pattern, uint32_t options, char *problem, size_t capacity) {
    int error = 0;
    PCRE2_SIZE place = 0;
    pcre2_code *code = api.pcre2_compile_8((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &error, &place, NULL);
    if (code == NULL) {
        unsigned char words[160] = "";
        api.pcre2_get_error_message_8(error, words, sizeof words);
        snprintf(problem, capacity, "regex: %s, at octet %zu of the pattern", (const char *)words, (size_t)place);
    }
    return code;
}

int ek_regex_is_refused(const char *pattern, uint32_t options, char *problem, size_t capacity) {
    if (!load(problem, capacity)) return 0;
    pcre2_code *code = compile(pattern, options, problem, capacity);
    if (code == NULL) return 1;
    api.pcre2_code_free_8(code);
    return 0;
}

struct ek_regex *ek_regex_new(const char *pattern, uint32_t options, size_t first, size_t last, char *problem, size_t capacity) {
    if (!load(problem, capacity)) return NULL;
    struct ek_regex *regex = calloc(1, sizeof *regex);
    if (regex == NULL) {
        snprintf(problem, capacity, "out of memory");
        return NULL;
    }
    regex->code = compile(pattern, options | PCRE2_AUTO_CALLOUT, problem, capacity);
    if (regex->code == NULL) {
        free(regex);
        return NULL;
    }
    regex->context = api.pcre2_match_context_create_8(NULL);
    // Where the match is, and nothing of its groups.
    regex->data = api.pcre2_match_data_create_8(1, NULL);
    if (regex->context == NULL || regex->data == NULL) {
        snprintf(problem, capacity, "out of memory");
        ek_regex_free(regex);
        return NULL;
    }
    api.pcre2_set_match_limit_8(regex->context, step_limit);
    api.pcre2_set_heap_limit_8(regex->context, heap_limit);
    api.pcre2_set_callout_8(regex->context, on_item, regex);
    uint32_t lookbehind = 0, all = 0;
    api.pcre2_pattern_info_8(regex->code, PCRE2_INFO_MAXLOOKBEHIND, &lookbehind);
    api.pcre2_pattern_info_8(regex->code, PCRE2_INFO_ALLOPTIONS, &all);
    regex->is_utf = (all & PCRE2_UTF) != 0;
    regex->is_firstline = (all & PCRE2_FIRSTLINE) != 0;
    // One at least: the beginning of the text is then not taken for that of the whole.
    regex->lookbehind = (lookbehind == 0 ? 1 : (size_t)lookbehind) * (regex->is_utf ? 4 : 1);
    regex->first = regex->start = first;
    regex->last = last;
    return regex;
}

static int is_continuation(unsigned char octet) {
    return (octet & 0xC0) == 0x80;
}

// How much of the text is whole characters: a piece may end inside of one.
static size_t whole_length(const struct ek_regex *regex) {
    if (!regex->is_utf) return regex->length;
    size_t start = regex->length, back = 0;
    while (start > 0 && back < 4) {
        unsigned char octet = regex->text[--start];
        back++;
        if (is_continuation(octet)) continue;
        size_t wants = octet >= 0xF0 ? 4 : octet >= 0xE0 ? 3 : octet >= 0xC0 ? 2 : 1;
        return wants > back ? start : regex->length;
    }
    return regex->length;
}

static void search(struct ek_regex *regex, int is_last) {
    const size_t length = is_last ? regex->length : whole_length(regex);
    regex->searched = regex->length;
    if (regex->dropped + regex->start > regex->last) regex->answer = EK_REGEX_NOWHERE;
    while (regex->is_utf && regex->start < length && is_continuation(regex->text[regex->start])) regex->start++;
    if (regex->start > length) {
        if (is_last) regex->answer = EK_REGEX_NOWHERE;
        return;
    }
    if (regex->answer != EK_REGEX_WAIT) return;
    static const unsigned char nothing[1];
    const unsigned char *text = regex->text != NULL ? regex->text : nothing;
    const uint32_t options = is_last ? 0 : PCRE2_PARTIAL_HARD;
    regex->began_nanoseconds = thread_nanoseconds();
    const int result = api.pcre2_match_8(regex->code, text, length, regex->start, options, regex->data, regex->context);
    regex->spent_nanoseconds += thread_nanoseconds() - regex->began_nanoseconds;
    const size_t found = api.pcre2_get_ovector_pointer_8(regex->data)[0];
    if (result >= 0) {
        regex->answer = regex->dropped + found > regex->last ? EK_REGEX_NOWHERE : EK_REGEX_FOUND;
    } else if (result == PCRE2_ERROR_PARTIAL) {
        regex->start = found;
    } else if (result == PCRE2_ERROR_NOMATCH) {
        // The line that follows what was searched is not the first one.
        const int is_over = regex->is_firstline && memchr(text + regex->start, '\n', length - regex->start) != NULL;
        regex->start = length;
        if (is_last || is_over) regex->answer = EK_REGEX_NOWHERE;
    } else if (result <= PCRE2_ERROR_UTF8_ERR1 && result >= PCRE2_ERROR_UTF8_ERR21) {
        regex->answer = EK_REGEX_BAD_TEXT;
    } else {
        regex->answer = EK_REGEX_TOO_HARD;
    }
}

// Lets go of what no match can look at any more.
static void drop(struct ek_regex *regex) {
    size_t keep = regex->start > regex->lookbehind ? regex->start - regex->lookbehind : 0;
    if (keep > regex->length) keep = regex->length;
    while (regex->is_utf && keep > 0 && keep < regex->length && is_continuation(regex->text[keep])) keep--;
    if (keep == 0) return;
    memmove(regex->text, regex->text + keep, regex->length - keep);
    regex->length -= keep;
    regex->start -= keep;
    regex->dropped += keep;
    regex->searched = regex->searched > keep ? regex->searched - keep : 0;
}

static int append(struct ek_regex *regex, const void *octets, size_t count) {
    const size_t wanted = regex->length + count;
    if (wanted > regex->capacity) {
        size_t capacity = regex->capacity < 4096 ? 4096 : regex->capacity;
        while (capacity < wanted) capacity *= 2;
        unsigned char *text = realloc(regex->text, capacity);
        if (text == NULL) return 0;
        regex->text = text;
        regex->capacity = capacity;
    }
    memcpy(regex->text + regex->length, octets, count);
    regex->length = wanted;
    return 1;
}

enum ek_regex_answer ek_regex_feed(struct ek_regex *regex, const void *octets, size_t count) {
    if (regex->answer != EK_REGEX_WAIT || count == 0) return regex->answer;
    if (!append(regex, octets, count)) return regex->answer = EK_REGEX_TOO_HARD;
    // Again only when there is half as much again: what is searched several times stays in proportion to the whole.
    if (regex->length >= regex->searched + regex->searched / 2) {
        search(regex, 0);
        if (regex->answer == EK_REGEX_WAIT) drop(regex);
    }
    if (regex->answer == EK_REGEX_WAIT && regex->length > EK_REGEX_WINDOW) regex->answer = EK_REGEX_TOO_LONG;
    return regex->answer;
}

enum ek_regex_answer ek_regex_finish(struct ek_regex *regex) {
    if (regex->answer == EK_REGEX_WAIT) search(regex, 1);
    return regex->answer;
}

void ek_regex_free(struct ek_regex *regex) {
    if (regex == NULL) return;
    if (regex->data != NULL) api.pcre2_match_data_free_8(regex->data);
    if (regex->context != NULL) api.pcre2_match_context_free_8(regex->context);
    api.pcre2_code_free_8(regex->code);
    free(regex->text);
    free(regex);
}
